"""A namespace without a name, to try out in it what the kernel can do; nothing of it stays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.kernel.codec.link import create_plain
from reconciler.kernel.linux.inside import inside_new, open_own_namespace
from reconciler.kernel.linux.kept_namespace import KeptNamespace
from reconciler.kernel.transport import Ack


@contextmanager
def scratch_namespace() -> Iterator[KeptNamespace]:
    """Raises OSError (EPERM) where this process may make none."""
    with inside_new():
        scratch = KeptNamespace(open_own_namespace())
    try:
        yield scratch
    finally:
        scratch.close()


def try_link(namespace: KeptNamespace, kind: str, data: bytes = b"") -> Ack:
    """What the kernel says to a link of that kind. EOPNOTSUPP: it knows no such kind."""
    (ack,) = namespace.route.request([create_plain(f"try-{kind[:10]}", kind, data)])
    return ack


def kernel_has_wireguard() -> bool:
    with scratch_namespace() as scratch:
        return try_link(scratch, "wireguard").code == 0
