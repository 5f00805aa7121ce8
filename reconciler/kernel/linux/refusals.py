"""Whatever the system refuses on the way through a seam is told as the seam promises."""

from __future__ import annotations

import errno
import functools
import os
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from reconciler.kernel.transport import TransportError

_Arguments = ParamSpec("_Arguments")
_Answer = TypeVar("_Answer")


def refusals_told(seam: Callable[_Arguments, _Answer]) -> Callable[_Arguments, _Answer]:
    """An OSError inside (no permission, no descriptors, a full disk) becomes a TransportError."""

    @functools.wraps(seam)
    def told(*arguments: _Arguments.args, **named: _Arguments.kwargs) -> _Answer:
        try:
            return seam(*arguments, **named)
        except OSError as error:
            code = error.errno or errno.EIO
            raise TransportError(code, f"{seam.__name__}: {os.strerror(code)}") from error

    return told
