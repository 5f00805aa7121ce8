"""Servers as tests need them: in the foreground, on a free port of the loopback, ended by their own id."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

START_S = 20.0
ATTEMPTS = 5


def program(name: str, package: str) -> str:
    """The program's path; skips the test, with the reason, where it isn't installed."""
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin:/sbin")
    if found is None:
        pytest.skip(f"{name} is missing: apt-get install {package}")
    return found


@contextmanager
def daemon(command: Callable[[int], Sequence[str]], log: Path) -> Iterator[int]:
    """Runs `command(port)` and gives the port once something listens there. Another port is tried if somebody
    takes the first one meanwhile."""
    for _ in range(ATTEMPTS):
        port = _free_port()
        with log.open("ab") as output:
            process = subprocess.Popen(
                command(port), stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        try:
            if _is_up(process, port):
                yield port
                return
        finally:
            _end(process)
    raise AssertionError(f"{command(0)[0]} doesn't start:\n{log.read_text()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_up(process: subprocess.Popen[bytes], port: int) -> bool:
    """False if it ends before it listens."""
    until = time.monotonic() + START_S
    while process.poll() is None:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return process.poll() is None
        assert time.monotonic() < until, "it neither listens nor ends"
        time.sleep(0.02)
    return False


def _end(process: subprocess.Popen[bytes]) -> None:
    """The server and what it has started in its session."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
