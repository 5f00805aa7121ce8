"""An end to work that somebody waits for at the other side of a connection."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from reconciler.errors import TnetError


class DeadlinePassed(TnetError):
    """It took longer than it may."""


@contextmanager
def deadline(seconds: float, advice: str) -> Iterator[None]:
    """Raises `DeadlinePassed` out of the block, also while it waits for a process. For the main thread."""

    def pass_by(number: int, frame: FrameType | None) -> None:
        raise DeadlinePassed(f"it took longer than {seconds:g} s", advice)

    before = signal.signal(signal.SIGALRM, pass_by)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
