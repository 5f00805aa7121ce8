"""The lab as a whole: machines up and cabled, found again, taken down."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reconciler.lab import wiring
from reconciler.lab.errors import CommandFailed, LabError
from reconciler.lab.machine import Machine, start_machines
from reconciler.lab.process import ProcessId, kill
from reconciler.lab.record import Record, none_of_that_name
from reconciler.lab.topology import FARM, Topology

_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
_TOOLS = {
    "bridge": "iproute2",
    "git": "git",
    "ip": "iproute2",
    "nft": "nftables",
    "nsenter": "util-linux",
    "ping": "iputils-ping",
    "setsid": "util-linux",
    "ssh-keygen": "openssh-client",
    "wg": "wireguard-tools",
}
"""What the lab runs -> the Debian package that has it."""


@dataclass(frozen=True, slots=True)
class Lab:
    """A lab that is up: its record, its machines by name."""

    record: Record
    machines: Mapping[str, Machine]
    topology: Topology = FARM

    @property
    def nodes(self) -> tuple[Machine, ...]:
        return tuple(self.machines[node.name] for node in self.topology.nodes)

    def machine(self, name: str) -> Machine:
        """Raises LabError that lists the names there are."""
        if name not in self.machines:
            raise LabError(
                f"there is no machine {name} in this lab", "there are: " + ", ".join(self.machines)
            )
        return self.machines[name]


def up(record: Record, topology: Topology = FARM) -> Lab:
    """Claim the record's name and build. What was made stays when it fails: `down` removes it."""
    claim(record)
    return build(record, topology)


def claim(record: Record) -> None:
    """Take the lab's name. Raises LabError if somebody has it, or if this can't work here at all."""
    if os.geteuid() != 0:
        raise LabError("the lab makes namespaces and mounts, so it needs root", "sudo tnet lab demo")
    missing = [tool for tool in _TOOLS if shutil.which(tool) is None]
    if missing:
        packages = " ".join(dict.fromkeys(_TOOLS[tool] for tool in missing))
        raise LabError(f"the lab needs {', '.join(missing)}", f"apt-get install {packages}")
    record.create()


def build(record: Record, topology: Topology = FARM) -> Lab:
    """Make the machines and their cables under a name that is claimed."""
    _adopt_orphans()
    machines = start_machines(record, [machine.name for machine in topology.machines])
    lab = Lab(record, machines, topology)
    _cable(lab)
    _configure(lab)
    return lab


def _adopt_orphans() -> None:
    """A machine's process 1 outlives its starter: take it for our child, so that we can reap it."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _cable(lab: Lab) -> None:
    pids = {name: machine.process.pid for name, machine in lab.machines.items()}
    batch = wiring.cabling(lab.topology.cables, pids)
    done = subprocess.run(["ip", "-batch", "-"], input=batch, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        raise CommandFailed(f"the lab's cables can't be made: {done.stderr.strip()}")


def _configure(lab: Lab) -> None:
    """Every machine at once: kernel parameters, addresses, a router's rules."""
    scripts = {spec.name: wiring.setup_script(spec) for spec in lab.topology.machines}
    running = {name: lab.machines[name].popen(["sh", "-c", text]) for name, text in scripts.items()}
    for name, process in running.items():
        with process:
            _, errors = process.communicate()
        if process.returncode != 0:
            raise CommandFailed(f"{name} can't be configured: {errors.strip()}")


def find(record: Record, topology: Topology = FARM) -> Lab:
    """A lab that is up already. Raises LabError if there is none, or only parts of one."""
    if not record.exists:
        raise none_of_that_name(record)
    processes = record.processes()
    names = [machine.name for machine in topology.machines]
    dead = [name for name in names if name not in processes or not processes[name].alive]
    if dead:
        raise LabError(
            f"lab {record.name} is broken: not running: {', '.join(dead)}",
            f"take it down: tnet lab down --name {record.name}",
        )
    return Lab(record, {name: Machine(name, processes[name]) for name in names}, topology)


def down(record: Record) -> None:
    """End every machine of the lab and forget it. Raises LabError if something can't be ended."""
    if not record.exists:
        raise none_of_that_name(record)
    processes = {**record.processes(), **_unrecorded(record)}
    stubborn = [name for name, process in processes.items() if not kill(process)]
    if stubborn:
        raise LabError(f"these machines do not end: {', '.join(stubborn)}", "try again")
    record.remove()


def _unrecorded(record: Record) -> dict[str, ProcessId]:
    """Machines that were starting when their starter died: they carry the lab's directory as an argument."""
    marker = f"sys.exit(main())\0{record.directory}\0".encode()
    found = {}
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if marker in path.read_bytes():
                process = ProcessId.of(int(path.parent.name))
                found[f"process {process.pid}"] = process
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found
