"""A thread with network and mount namespaces of its own: a node of its own on this machine.

Everything made in there is gone with it, so tests that use the names which tnet uses can run side by side.
"""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from reconciler.kernel.linux.syscalls import CLONE_NEWNET, unshare
from reconciler.services.process_id import ProcessId

CLONE_NEWNS = 0x00020000
NICS = ("eth0", "fast0")

Result = TypeVar("Result")


def apart(work: Callable[[], Result]) -> Result:
    """Call `work` in such a thread and return what it returns, or raise what it raises."""
    results: list[Result] = []
    errors: list[BaseException] = []

    def inside() -> None:
        try:
            _enter()
            try:
                results.append(work())
            finally:
                _end_daemons()
        except BaseException as error:  # noqa: BLE001  handed on to the caller's thread
            errors.append(error)

    thread = threading.Thread(target=inside)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def run(*command: str) -> str:
    """A command in the calling thread's namespaces; what it prints."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout


def _enter() -> None:
    unshare(CLONE_NEWNET | CLONE_NEWNS)
    run("mount", "--make-rprivate", "/")
    run("mount", "-t", "tmpfs", "tmpfs", "/run")
    run("ip", "link", "set", "lo", "up")
    for nic in NICS:
        run("ip", "link", "add", nic, "type", "veth", "peer", "name", f"{nic}-far")
        run("ip", "link", "set", nic, "up")
        run("ip", "link", "set", f"{nic}-far", "up")
    run("ip", "address", "add", "10.99.1.1/24", "dev", "fast0")


def _end_daemons() -> None:
    """wireguard-go outlives whoever started it; those whose files lie on this thread's /run are ours."""
    for file in Path("/run").rglob("*.pid"):
        daemon = ProcessId.read(file)
        if daemon is not None:
            daemon.end(2)
