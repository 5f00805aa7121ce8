"""Hearing at once that a daemon has ended, whoever started it: by a file descriptor of its process."""

from __future__ import annotations

import os
import selectors
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.services.process_id import ProcessId


class ExitWatch:
    """Calls `ended(name)`, from a thread of its own, when a process that it was shown ends."""

    def __init__(self, ended: Callable[[str], None]) -> None:
        self._ended = ended
        self._selector = selectors.DefaultSelector()
        self._watched: dict[ProcessId, int] = {}
        self._lock = threading.Lock()
        self._wake_reader, self._wake_writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._selector.register(self._wake_reader, selectors.EVENT_READ, None)

    def look(self, directory: Path) -> None:
        """Watch the process of every `<name>.pid` in `directory` that is not watched yet."""
        for path in directory.glob("*.pid"):
            process = ProcessId.read(path)
            if process is not None:
                self._watch(path.stem, process)

    def _watch(self, name: str, process: ProcessId) -> None:
        with self._lock:
            if process in self._watched:
                return
            try:
                descriptor = os.pidfd_open(process.pid)
            except ProcessLookupError:
                return
            if not process.alive:  # its number belongs to another by now
                os.close(descriptor)
                return
            self._watched[process] = descriptor
            self._selector.register(descriptor, selectors.EVENT_READ, (name, process))

    def _run(self) -> None:
        while True:
            for key, _ in self._selector.select():
                if key.data is None:
                    return
                self._forget(key.data[1])
                self._ended(key.data[0])

    def _forget(self, process: ProcessId) -> None:
        with self._lock:
            descriptor = self._watched.pop(process)
            self._selector.unregister(descriptor)
            os.close(descriptor)

    @contextmanager
    def running(self) -> Iterator[ExitWatch]:
        """Watch while the block runs; leaving it closes every descriptor and ends no process."""
        thread = threading.Thread(target=self._run, name="exit-watch", daemon=True)
        thread.start()
        try:
            yield self
        finally:
            os.write(self._wake_writer, b"x")
            thread.join()
            self._close()

    def _close(self) -> None:
        self._selector.close()
        for descriptor in (*self._watched.values(), self._wake_reader, self._wake_writer):
            os.close(descriptor)
