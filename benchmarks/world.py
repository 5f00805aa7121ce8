"""Where a measurement happens: a process with network and mount namespaces of its own.

All that it makes lives in there and is gone with the process, however that ends.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

from benchmarks.farm import FAST_ADDRESS, FAST_NIC, UPLINK

_PR_SET_PDEATHSIG = 1
_QUIET_S, _QUIET_IN_A_ROW, _PATIENCE_S = 0.05, 3, 120.0


def run_apart(module: str, *arguments: str) -> dict[str, Any]:
    """Run `python -m module arguments` apart and return the JSON object it prints last."""
    unshare = ("unshare", "--net", "--mount", "--propagation", "private")
    return run_module(module, *arguments, within=unshare)


def run_module(module: str, *arguments: str, within: Sequence[str] = ()) -> dict[str, Any]:
    """The same in no more than a process of its own, or within what the command `within` makes."""
    command = [*within, sys.executable, "-m", module]
    with subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, text=True) as process:
        try:
            output, _ = process.communicate()
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, [*command, *arguments])
    result: dict[str, Any] = json.loads(output.strip().splitlines()[-1])
    return result


def enter() -> None:
    """Called first in the process apart: its own /run, its two NICs, and death with its parent."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    _run("mount", "-t", "tmpfs", "tmpfs", "/run")
    _run("ip", "link", "set", "lo", "up")
    for name in (UPLINK, FAST_NIC):
        _run("ip", "link", "add", name, "type", "veth", "peer", "name", f"{name}-end")
        _run("ip", "link", "set", name, "up")
        _run("ip", "link", "set", f"{name}-end", "up")
    _run("ip", "address", "add", f"{FAST_ADDRESS}/24", "dev", FAST_NIC)


def _run(*command: str) -> None:
    subprocess.run(command, check=True)


def await_quiet() -> float:
    """Wait until the kernel has torn down what ended before: until new namespaces come quickly again.
    Returns how long that took, in seconds."""
    begin, quick = time.perf_counter(), 0
    while quick < _QUIET_IN_A_ROW and time.perf_counter() - begin < _PATIENCE_S:
        start = time.perf_counter()
        subprocess.run(["unshare", "--net", "true"], check=True)
        quick = quick + 1 if time.perf_counter() - start < _QUIET_S else 0
    return time.perf_counter() - begin


def running_alone() -> bool:
    """Whether the machine has no other work, by its load of the last minute."""
    return os.getloadavg()[0] < (os.cpu_count() or 1)
