"""Looking at the farm from inside: snapshots of kernels, probes, streams of pings, captures."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from reconciler.lab.errors import CommandFailed
from reconciler.lab.jobs import Job, outputs
from reconciler.lab.machine import Machine, program
from reconciler.lab.topology import NAT_ADDRESSES

Snapshot = Mapping[str, Sequence[str]]
"""What `inside/snapshot.py` prints: listings by namespace and kind."""


def snapshots(machines: Iterable[Machine]) -> dict[str, Snapshot]:
    """The whole network state of each machine, by name."""
    asked = tuple(machines)
    texts = outputs(Job(machine, program("snapshot", *NAT_ADDRESSES)) for machine in asked)
    return {machine.name: json.loads(text) for machine, text in zip(asked, texts, strict=True)}


def differences(before: Mapping[str, Snapshot], after: Mapping[str, Snapshot]) -> tuple[str, ...]:
    """Every line that one has and the other has not, as `p1 tnet-nat: routes: + ...`."""
    lines: list[str] = []
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name, {}), after.get(name, {})
        for part in sorted(old.keys() | new.keys()):
            lines += _changes(f"{name} {part}", old.get(part, ()), new.get(part, ()))
    return tuple(lines)


def _changes(where: str, was: Sequence[str], now: Sequence[str]) -> list[str]:
    gone = [f"{where}: - {line}" for line in was if line not in now]
    new = [f"{where}: + {line}" for line in now if line not in was]
    moved = [f"{where}: the same lines, otherwise ordered or counted"] if list(was) != list(now) else []
    return gone + new or moved


@dataclass(frozen=True, slots=True)
class Source:
    """Where probes start from: a machine, or one of its namespaces. `mark` chooses a routing table."""

    name: str
    machine: Machine
    namespace: str = ""
    mark: int = 0


Heard = Mapping[str, str]
"""`<protocol> <address>` -> what answered there."""


def probe(
    asked: Sequence[tuple[Source, Sequence[str]]], timeout_s: float = 1.0, attempts: int = 2
) -> list[Heard]:
    """Every source tries to reach all of its addresses, all at once; by ICMP, UDP and TCP."""
    jobs = [
        Job(source.machine, program("probe"), source.namespace, _question(source, to, timeout_s, attempts))
        for source, to in asked
    ]
    return [json.loads(text) for text in outputs(jobs)]


def probe_until(
    asked: Sequence[tuple[Source, Sequence[str]]],
    enough: Sequence[int],
    protocol: str = "",
    timeout_s: float = 20.0,
) -> list[Heard]:
    """Probe again and again until every source has heard as many answers as it needs (of `protocol` only,
    if one is named), or time is up; returns what each heard in the last round that it took part in."""
    heard: list[Heard] = [{} for _ in asked]
    deadline = time.monotonic() + timeout_s
    while True:
        waiting = [number for number, answers in enumerate(heard) if len(answers) < enough[number]]
        if not waiting or time.monotonic() > deadline:
            return heard
        for number, answers in zip(waiting, probe([asked[number] for number in waiting]), strict=True):
            heard[number] = {what: who for what, who in answers.items() if what.startswith(protocol)}


def _question(source: Source, addresses: Sequence[str], timeout_s: float, attempts: int) -> str:
    question = {"targets": list(addresses), "timeout_s": timeout_s, "attempts": attempts, "mark": source.mark}
    return json.dumps(question)


class Attended:
    """A program of `inside/` that runs until it is told to end; made when it has said `ready`."""

    def __init__(self, machine: Machine, command: Sequence[str], namespace: str = "") -> None:
        self._what = f"{machine.name}: {command[0]}"
        self._process = machine.popen(command, namespace, stdin=subprocess.PIPE)
        if self.next_line() != "ready":
            _, errors = self._process.communicate()
            raise CommandFailed(f"{self._what}: {errors.strip()}")

    def next_line(self) -> str:
        """The next line that it prints; "" when it prints no more."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().rstrip("\n")

    def end(self) -> str:
        """Close its input, wait until it has ended, and return the rest of what it printed."""
        out, errors = self._process.communicate()
        if self._process.returncode != 0:
            raise CommandFailed(f"{self._what}: {errors.strip()}")
        return out


@dataclass(frozen=True, slots=True)
class Pings:
    """What a stream saw of one address."""

    source: str
    address: str
    sent: int
    lost: tuple[int, ...]
    slowest_ms: float

    def __str__(self) -> str:
        seen = f"{self.sent} sent, {len(self.lost)} lost, slowest {self.slowest_ms} ms"
        return f"{self.source} -> {self.address}: {seen}"


class PingStream:
    """Pings from one source to several addresses, without a pause, until `end`."""

    def __init__(self, source: Source, addresses: Sequence[str], interval_s: float = 0.05) -> None:
        self._source = source
        command = program("stream", str(interval_s), *addresses)
        self._running = Attended(source.machine, command, source.namespace)

    def end(self) -> list[Pings]:
        account = json.loads(self._running.end())
        return [
            Pings(self._source.name, address, seen["sent"], tuple(seen["lost"]), seen["slowest_ms"])
            for address, seen in account.items()
        ]
