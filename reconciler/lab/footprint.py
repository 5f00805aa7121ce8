"""What a lab could leave behind on the machine it runs on: written down before, compared after.

Other work may go on beside the lab. What comes and goes with it is told apart by looking several times:
only what stays different counts.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from reconciler.lab.inside.snapshot import without_noise
from reconciler.lab.lab import Lab
from reconciler.lab.process import ProcessId

_LISTINGS = {
    "link": ["ip", "-json", "link"],
    "address": ["ip", "-json", "address"],
    "route": ["ip", "-json", "route", "show", "table", "all"],
    "IPv6 route": ["ip", "-json", "-6", "route", "show", "table", "all"],
    "rule": ["ip", "-json", "rule"],
    "nftables": ["nft", "--json", "list", "ruleset"],
}
_FILES = {
    "net.ipv4.ip_forward": "/proc/sys/net/ipv4/ip_forward",
    "net.ipv6.conf.all.forwarding": "/proc/sys/net/ipv6/conf/all/forwarding",
    "rcu_expedited": "/sys/kernel/rcu_expedited",
}
_MOUNT_POINTS = ("/etc/tnet", "/var/lib/tnet")
_OWN_DIRECTORIES = ("/run", "/etc/tnet", "/var/lib/tnet", "/sys", "/proc")
_NAMESPACE_KINDS = ("net", "mnt", "pid", "uts", "ipc")
_PATIENCE_S = 10.0
_LOOK_EVERY_S = 0.1

Footprint = frozenset[str]
"""Lines about the machine, as seen from its own namespaces."""


def footprint() -> Footprint:
    """The machine as it is now. Named namespaces are left out, since others come and go: that the lab has
    none among them is shown by `exposed`, while the lab lives."""
    return frozenset((*_network(), *_parameters(), *_mounts(), *_directories()))


def _network() -> Iterator[str]:
    for what, command in _LISTINGS.items():
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        document = json.loads(text or "[]")
        for entry in document["nftables"] if isinstance(document, dict) else document:
            yield f"{what} {json.dumps(without_noise(entry), sort_keys=True)}"


def _parameters() -> Iterator[str]:
    for what, name in _FILES.items():
        path = Path(name)
        yield f"{what} {path.read_text(encoding='ascii').strip() if path.exists() else 'absent'}"


def _directories() -> Iterator[str]:
    """Where the lab's machines have directories of their own: none may have been made for it."""
    return (f"directory {path}" for path in _MOUNT_POINTS if Path(path).exists())


def _mounts() -> Iterator[str]:
    """Mount point, kind and source of each mount (fields 5 and 9 on of /proc/self/mountinfo, proc(5))."""
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        kind_and_source = line.partition(" - ")[2].split()[:2]
        if kind_and_source[0] != "nsfs":
            yield f"mount {line.split()[4]} {' '.join(kind_and_source)}"


def changes_since(before: Footprint) -> tuple[str, ...]:
    """What is different from `before` and stays so: `+` for what was left, `-` for what has gone."""
    return _lasting(lambda: _changes(before, footprint()))


def _changes(before: Footprint, now: Footprint) -> frozenset[str]:
    new = (f"+ {line}" for line in now - before)
    return frozenset((*new, *(f"- {line}" for line in before - now)))


def _lasting(look: Callable[[], frozenset[str]]) -> tuple[str, ...]:
    """What every look shows, from now until nothing is left or patience ends."""
    deadline = time.monotonic() + _PATIENCE_S
    left = look()
    while left and time.monotonic() < deadline:
        time.sleep(_LOOK_EVERY_S)
        left &= look()
    return tuple(sorted(left))


def exposed(lab: Lab) -> tuple[str, ...]:
    """What of a living lab can be reached from the machine's own mounts: a directory that both share, or a
    namespace of the lab mounted outside of it. Where there is nothing, nothing can be left behind."""
    shared = (
        f"{machine.name} has the machine's own {path}"
        for machine in lab.machines.values()
        for path in _OWN_DIRECTORIES
        if Path(path).exists() and Path(path).samefile(machine.path(path))
    )
    inside = {inode for _, inode in population(lab).namespaces}
    mounted = (line for line, inode in _mounted_namespaces() if inode in inside)
    return (*shared, *mounted)


def _mounted_namespaces() -> Iterator[tuple[str, int]]:
    """Mount points of namespaces and their inode numbers (field 4 is `net:[4026531840]`)."""
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        if " - nsfs " in line:
            root, place = line.split()[3:5]
            yield place, int(root.partition("[")[2].rstrip("]") or 0)


@dataclass(frozen=True, slots=True)
class Population:
    """The processes in a lab's machines, and the namespaces they have: (kind, inode)."""

    processes: tuple[ProcessId, ...]
    namespaces: frozenset[tuple[str, int]]


def population(lab: Lab) -> Population:
    """Who lives in the lab now."""
    homes = {_namespace(machine.process.pid, "pid") for machine in lab.machines.values()}
    pids = [pid for pid in _pids() if _namespace(pid, "pid") in homes]
    namespaces = {
        (kind, inode) for pid in pids for kind in _NAMESPACE_KINDS if (inode := _namespace(pid, kind))
    }
    processes = [process for process in map(_identity, pids) if process is not None]
    return Population(tuple(processes), frozenset(namespaces | _named_namespaces(lab)))


def _named_namespaces(lab: Lab) -> set[tuple[str, int]]:
    paths = (path for machine in lab.machines.values() for path in machine.path("/run/netns").glob("*"))
    return {("net", path.stat().st_ino) for path in paths}


def survivors(lived: Population) -> tuple[str, ...]:
    """Processes of the lab that still run, and processes as old as they that hold a namespace of it."""
    return _lasting(lambda: frozenset((*_still_running(lived), *_holders(lived))))


def _still_running(lived: Population) -> Iterator[str]:
    return (f"process {process.pid} still runs" for process in lived.processes if process.alive)


def _holders(lived: Population) -> Iterator[str]:
    """The kernel gives a namespace's number to another one soon after it has gone: a process that is
    younger than the lab's youngest holds such another one."""
    youngest = max((process.start_ticks for process in lived.processes), default=0)
    for process in filter(None, map(_identity, _pids())):
        held = {(kind, _namespace(process.pid, kind)) for kind in _NAMESPACE_KINDS} & lived.namespaces
        if held and process.start_ticks <= youngest:
            names = ", ".join(f"{kind}:[{inode}]" for kind, inode in sorted(held))
            yield f"process {process.pid} holds {names}"


def _pids() -> Iterable[int]:
    return [int(path.name) for path in Path("/proc").glob("[0-9]*")]


def _namespace(pid: int, kind: str) -> int:
    """The inode number of a process's namespace; 0 if the process has gone."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/ns/{kind}").stat().st_ino
    return 0


def _identity(pid: int) -> ProcessId | None:
    with suppress(ProcessLookupError):
        return ProcessId.of(pid)
    return None
