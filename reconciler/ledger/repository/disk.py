"""What the disk refuses, as local trouble."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.ledger.trouble import DiskFull, LocalTrouble


@contextmanager
def writing(what: str) -> Iterator[None]:
    """Turns an OSError on the way into `DiskFull` or another `LocalTrouble` that names what was written."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(
                f"no space left to write {what}", "free some space; nothing was changed"
            ) from error
        raise LocalTrouble(f"{what} can't be written: {error}") from error
