"""What wakes the agent: a timer with jitter, a change of a local repository, a signal."""

from __future__ import annotations

import logging
import queue
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from urllib.parse import unquote, urlsplit

from watchfiles import watch

log = logging.getLogger(__name__)

STOP = "stop"
JITTER = 0.2
"""The timer fires within this part of the interval, either way, so that nodes don't poll in step."""


class Waker:
    """Collects reasons to wake up. Many reasons between two waits are one wake-up."""

    def __init__(self, interval_s: float, jitter: Callable[[], float] = random.random) -> None:
        self._interval_s = interval_s
        self._jitter = jitter
        self._reasons: queue.SimpleQueue[str] = queue.SimpleQueue()

    def wake(self, reason: str) -> None:
        """From any thread, and from a signal handler (SimpleQueue.put is reentrant)."""
        self._reasons.put(reason)

    def wait(self, at_most_s: float | None = None) -> frozenset[str]:
        """Until somebody wakes us, the timer fires, or `at_most_s` have passed (reason: `retry`)."""
        timer_s = self._interval_s * (1 + JITTER * (2 * self._jitter() - 1))
        limit_s, reason = timer_s, "timer"
        if at_most_s is not None and at_most_s < timer_s:
            limit_s, reason = max(at_most_s, 0.0), "retry"
        deadline = time.monotonic() + limit_s
        return self._collect(deadline) or frozenset({reason})

    def _collect(self, deadline: float) -> frozenset[str]:
        try:
            reasons = {self._reasons.get(timeout=max(deadline - time.monotonic(), 0.0))}
        except queue.Empty:
            return frozenset()
        while not self._reasons.empty():
            reasons.add(self._reasons.get())
        return frozenset(reasons)


@contextmanager
def signals(waker: Waker) -> Iterator[None]:
    """SIGHUP and SIGUSR1 ask for a pass now, SIGTERM and SIGINT for the end; handlers are put back."""

    def handle(number: int, _frame: FrameType | None) -> None:
        waker.wake(STOP if number in (signal.SIGTERM, signal.SIGINT) else signal.Signals(number).name)

    numbers = (signal.SIGHUP, signal.SIGUSR1, signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def local_repository(remote: str) -> Path | None:
    """The directory behind a remote that is a path or a file:// URL, None for any other remote."""
    if remote.startswith("file://"):
        return Path(unquote(urlsplit(remote).path))
    return Path(remote) if remote.startswith("/") else None


@contextmanager
def watching(repository: Path | None, waker: Waker) -> Iterator[None]:
    """Wake up when the references of a local repository change (a push has landed)."""
    if repository is None or not repository.is_dir():
        yield
        return
    git_directory = repository / ".git" if (repository / ".git").is_dir() else repository
    stop = threading.Event()
    thread = threading.Thread(target=_watch, args=(git_directory, waker, stop), name="watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=5)


def _watch(git_directory: Path, waker: Waker, stop: threading.Event) -> None:
    """Only `HEAD`, `packed-refs` and what is under `refs/` count: objects arrive before the reference."""

    def concerns_references(_change: object, path: str) -> bool:
        relative = Path(path).relative_to(git_directory).parts
        return (
            bool(relative) and relative[0] in ("refs", "packed-refs", "HEAD") and not path.endswith(".lock")
        )

    try:
        for _changes in watch(
            git_directory,
            watch_filter=concerns_references,
            debounce=50,
            step=10,
            stop_event=stop,
            rust_timeout=500,
        ):
            waker.wake("push")
    except (OSError, RuntimeError) as error:
        # watchfiles raises RuntimeError when inotify has no watches left; the timer still wakes us.
        log.warning("%s can't be watched, changes are seen by the timer only: %s", git_directory, error)
