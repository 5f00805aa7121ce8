"""libnftables (nftables/libnftables.h) through ctypes.

Debian's Python module can't be imported in a virtual environment, and needs no more than this. A context
costs about half a megabyte and keeps its netlink socket, and so its network namespace, for ever.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import os

from reconciler.kernel.transport import TransportError

_OUTPUT_STATELESS = 1 << 2
_OUTPUT_JSON = 1 << 4
_OUTPUT_NUMERIC_PROTOCOL = 1 << 7
_OUTPUT_NUMERIC_PRIORITY = 1 << 8
_FLAGS = _OUTPUT_STATELESS | _OUTPUT_JSON | _OUTPUT_NUMERIC_PROTOCOL | _OUTPUT_NUMERIC_PRIORITY

_SONAME = "libnftables.so.1"
_ADVICE = "install the Debian package libnftables1"

_NAMED_ERRORS = (errno.ENOENT, errno.EEXIST, errno.EPERM, errno.EBUSY, errno.EOPNOTSUPP, errno.ENOMEM)
"""libnftables tells errors by strerror's words only; these are what a caller may want to tell apart."""


class NftContext:
    """Runs JSON documents in the network namespace that the calling thread is in when this is made.

    Not for two threads at once.
    """

    def __init__(self) -> None:
        self._library = _library()
        self._context = self._library.nft_ctx_new(0)
        if not self._context:
            raise TransportError(errno.ENOMEM, "libnftables made no context")
        self._library.nft_ctx_output_set_flags(self._context, _FLAGS)
        self._library.nft_ctx_buffer_output(self._context)
        self._library.nft_ctx_buffer_error(self._context)

    def run(self, document: str) -> str:
        """One document, one transaction; what it prints. Raises TransportError with nft's own words."""
        code = self._library.nft_run_cmd_from_buffer(self._context, document.encode())
        output = self._library.nft_ctx_get_output_buffer(self._context)
        error = self._library.nft_ctx_get_error_buffer(self._context)
        if code != 0:
            raise _refusal((error or b"").decode(errors="replace"))
        return (output or b"").decode()

    def close(self) -> None:
        context, self._context = self._context, None
        if context:
            self._library.nft_ctx_free(context)


@functools.cache
def _library() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(_SONAME)
    except OSError as error:
        missing = TransportError(errno.ENOPKG, f"{_SONAME} cannot be loaded: {error}")
        missing.advice = _ADVICE
        raise missing from error
    return _typed(library)


def _typed(library: ctypes.CDLL) -> ctypes.CDLL:
    context = ctypes.c_void_p
    library.nft_ctx_new.argtypes = [ctypes.c_uint32]
    library.nft_ctx_new.restype = context
    library.nft_ctx_free.argtypes = [context]
    library.nft_ctx_free.restype = None
    library.nft_ctx_output_set_flags.argtypes = [context, ctypes.c_uint]
    for name in ("nft_ctx_buffer_output", "nft_ctx_buffer_error"):
        getattr(library, name).argtypes = [context]
    for name in ("nft_ctx_get_output_buffer", "nft_ctx_get_error_buffer"):
        getattr(library, name).argtypes = [context]
        getattr(library, name).restype = ctypes.c_char_p
    library.nft_run_cmd_from_buffer.argtypes = [context, ctypes.c_char_p]
    return library


def _refusal(words: str) -> TransportError:
    first = words.strip().splitlines()[0] if words.strip() else "no reason given"
    code = next((code for code in _NAMED_ERRORS if os.strerror(code) in words), errno.EINVAL)
    return TransportError(code, f"nftables refused the transaction: {first}")
