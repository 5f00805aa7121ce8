"""What works: containers of one tenant reach each other everywhere, and the outside."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator

from reconciler.lab import containers, observe
from reconciler.lab.demo.check import Check
from reconciler.lab.demo.scene import Scene
from reconciler.lab.jobs import Done, Job, run_all
from reconciler.lab.matrix import PROTOCOLS
from reconciler.lab.tenants import Container, TenantNetwork
from reconciler.lab.topology import FAST_ADDRESSES, Machine

_OUTSIDE = ("203.0.113.10", "2001:db8:ffff::10")
_ROUND_TRIP = re.compile(r"time=([0-9.]+ ms)")
_WIRE = {"w": "WireGuard", "x": "VXLAN"}


def within(scene: Scene) -> Iterator[Check]:
    """Every pair of containers of each network pings, over IPv4 and IPv6, in both directions."""
    for network in scene.networks:
        yield from pings(scene, network)
    yield from wires(scene)


def pings(scene: Scene, network: TenantNetwork) -> Iterator[Check]:
    pairs = list(itertools.permutations(network.containers, 2))
    scene.progress(f"{len(pairs) * 2} pings in {network.tenant}/{network.name}")
    asked = [(here, there, address) for here, there in pairs for address in (there.ipv4, there.ipv6)]
    done = run_all(
        Job(scene.machine(here.machine), ["ping", "-n", "-c1", "-i0.2", "-w15", str(address)], here.namespace)
        for here, _, address in asked
    )
    lines = tuple(_ping_lines(pairs, done))
    failed = sum(each.code != 0 for each in done)
    claim = f"{network.tenant}/{network.name}: {len(done) - failed} of {len(done)} pings are answered"
    yield Check(claim, not failed, lines, shown=True)


def _ping_lines(pairs: Iterable[tuple[Container, Container]], done: list[Done]) -> Iterator[str]:
    for (here, there), over_4, over_6 in zip(pairs, done[::2], done[1::2], strict=True):
        yield f"{here.machine} -> {there.machine}  {there.ipv4} {_time(over_4)}  {there.ipv6} {_time(over_6)}"


def _time(ping: Done) -> str:
    found = _ROUND_TRIP.search(ping.out)
    return found.group(1) if ping.code == 0 and found else "NO ANSWER"


def wires(scene: Scene) -> Iterator[Check]:
    """What carries the packets: VXLAN where two nodes share a fast network, WireGuard everywhere else."""
    for network in scene.networks:
        pairs = list(itertools.permutations(network.containers, 2))
        jobs = [
            Job(scene.machine(here.machine), ["ip", "route", "get", str(there.ipv4)], network.namespace)
            for here, there in pairs
        ]
        used = {}
        for (here, there), done in zip(pairs, run_all(jobs), strict=True):
            device = re.search(r" dev (\w)", done.out)
            used[f"{here.machine}-{there.machine}"] = (
                _WIRE.get(device.group(1), "?") if device else "no route"
            )
        yield _wire_check(network, used)


def _wire_check(network: TenantNetwork, used: dict[str, str]) -> Check:
    expected = {
        pair: "VXLAN" if FAST_ADDRESSES.keys() >= set(pair.split("-")) else "WireGuard" for pair in used
    }
    by_wire = {
        wire: [pair for pair, seen in used.items() if seen == wire] for wire in sorted(set(used.values()))
    }
    said = "; ".join(f"{wire}: {' '.join(pairs)}" for wire, pairs in by_wire.items())
    return Check(f"{network.tenant}/{network.name} goes over {said}", used == expected)


def outside(scene: Scene) -> Iterator[Check]:
    """The outside host is reached, and sees the node's (the hidden node's router's) address only."""
    everyone = [container for network in scene.networks for container in network.containers]
    asked = [(containers.source(scene.lab, each), _OUTSIDE) for each in everyone]
    heard = observe.probe_until(asked, [len(_OUTSIDE) * len(PROTOCOLS)] * len(asked))
    lines, ok = [], True
    for container, answers in zip(everyone, heard, strict=True):
        seen = {
            what: answers.get(f"tcp {address}", "nothing")
            for what, address in zip((4, 6), _OUTSIDE, strict=True)
        }
        wanted = _seen_as(scene, container.machine)
        ok = ok and len(answers) == len(_OUTSIDE) * len(PROTOCOLS) and set(seen.values()) == wanted
        lines.append(f"{container.name:<12} is seen as {seen[4].split()[-1]} and {seen[6].split()[-1]}")
    claim = "every container reaches the outside host (ICMP, UDP, TCP) under its node's addresses"
    yield Check(claim, ok, tuple(lines), shown=True)


def _seen_as(scene: Scene, name: str) -> set[str]:
    """What the outside's beacon says to somebody from behind this node."""
    machine: Machine = scene.lab.topology.machine("box" if name == "l2" else name)
    uplink = machine.interfaces[0].addresses
    return {f"outside {address.split('/')[0]}" for address in uplink}
