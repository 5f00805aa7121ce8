"""A commit adds a node to a network while everything runs; its revert takes it away again."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping

from reconciler.compile import names
from reconciler.lab import containers
from reconciler.lab.demo.check import Check, compare
from reconciler.lab.demo.reaching import pings
from reconciler.lab.demo.scene import Scene
from reconciler.lab.observe import PingStream, Snapshot, differences
from reconciler.lab.tenants import Container, TenantNetwork
from reconciler.lab.topology import FAST_ADDRESSES

GROWING = "globex"
NEW_NODE = "paris/p2"
NEW_MACHINE = "p2"

Sessions = Mapping[tuple[str, str], tuple[int, int, int]]
"""(machine, peer's public key) -> time of the last handshake (s since 1970), bytes received, bytes sent."""


def extend(scene: Scene) -> Iterator[Check]:
    """`tnet network add-node`, signed by the tenant, pushed; pings run through all of it."""
    before = scene.look("before the extension")
    old = scene.network(GROWING)
    before_sessions = sessions(scene, old)
    streams = start_streams(scene)
    began = time.monotonic()
    scene.commits["extend"] = _add_node(scene, old)
    statuses = scene.await_converged(scene.repository.push())
    took = time.monotonic() - began
    yield Check(f"signed, pushed, and every node has converged {took:.1f} s later", True)
    there = any(network.tenant == GROWING for network in statuses[NEW_MACHINE].networks)
    yield Check(f"{NEW_MACHINE} has {GROWING}/{old.name} now", there)
    after = scene.look("extended")
    yield from _one_more_peer(scene, old, _peers(before, old), _peers(after, old))
    yield unbroken(before_sessions, sessions(scene, old))
    yield no_losses(streams)
    new = scene.network(GROWING)
    containers.attach(scene.lab, [new.container(NEW_MACHINE)])
    yield from pings(scene, new)


def _add_node(scene: Scene, network: TenantNetwork) -> str:
    signer = scene.person(network.tenant)
    scene.repository.tnet(signer, "network", "add-node", f"{network.tenant}/{network.name}", NEW_NODE)
    return scene.repository.head


def start_streams(scene: Scene, without: Container | None = None) -> list[PingStream]:
    """From every container to every other of its network, over IPv4 and IPv6."""
    streams = []
    for network in scene.networks:
        plugged = [container for container in network.containers if container != without]
        for here in plugged:
            others = [there for there in plugged if there != here]
            addresses = [str(address) for there in others for address in (there.ipv4, there.ipv6)]
            streams.append(PingStream(containers.source(scene.lab, here), addresses))
    return streams


def no_losses(streams: Iterable[PingStream]) -> Check:
    """End the streams; not one packet of all that were sent may be missing."""
    seen = [each for stream in streams for each in stream.end()]
    sent = sum(each.sent for each in seen)
    losses = tuple(str(each) for each in seen if each.lost)
    claim = (
        f"{sent} pings ran meanwhile between {len(seen)} pairs of addresses; lost: {len(losses) or 'none'}"
    )
    return Check(claim, not losses and sent > 0, losses)


def sessions(scene: Scene, network: TenantNetwork) -> Sessions:
    device = names.wireguard_name(network.netid)
    found = {}
    for name in network.machines:
        machine = scene.machine(name)
        handshakes = _by_peer(machine.output(["wg", "show", device, "latest-handshakes"], network.namespace))
        transfers = _by_peer(machine.output(["wg", "show", device, "transfer"], network.namespace))
        for peer, (handshake,) in handshakes.items():
            received, sent = transfers[peer]
            found[name, peer] = (handshake, received, sent)
    return found


def _by_peer(listed: str) -> dict[str, tuple[int, ...]]:
    words = (line.split() for line in listed.splitlines())
    return {peer: tuple(map(int, numbers)) for peer, *numbers in words}


def unbroken(before: Sessions, after: Sessions) -> Check:
    """A peer that was taken away and given back would count from nothing, and know of no handshake. A new
    handshake alone proves nothing: WireGuard makes one whenever it likes (two at once, an answer lost)."""
    broken = tuple(
        f"{name}: peer {peer}: handshake, received, sent were {was}, are {after.get((name, peer))}"
        for (name, peer), was in before.items()
        if not _goes_on(was, after.get((name, peer), (0, 0, 0)))
    )
    claim = f"the {len(before)} WireGuard sessions that there were go on: no counter began anew"
    return Check(claim, not broken and bool(before), broken)


def _goes_on(was: tuple[int, int, int], now: tuple[int, int, int]) -> bool:
    return all(new >= old for old, new in zip(was, now, strict=True))


def _peers(seen: Mapping[str, Snapshot], network: TenantNetwork) -> Mapping[str, frozenset[str]]:
    part = f"{network.namespace}: wireguard {names.wireguard_name(network.netid)} peers"
    return {name: frozenset(seen[name].get(part, ())) for name in network.machines}


def _one_more_peer(
    scene: Scene,
    old: TenantNetwork,
    before: Mapping[str, frozenset[str]],
    after: Mapping[str, frozenset[str]],
) -> Iterator[Check]:
    """Each of the others has one way more, to the new node: a WireGuard peer, or an entry of VXLAN."""
    resources = scene.network(GROWING).document.spec.resources
    key = next(each.public_key for each in resources if each.node == NEW_NODE)
    for name in old.machines:
        if name in FAST_ADDRESSES:
            entries = scene.machine(name).output(["bridge", "fdb", "show"], old.namespace)
            remote = FAST_ADDRESSES[NEW_MACHINE]
            yield Check(f"{name} has one VXLAN entry more: {remote}", entries.count(f"dst {remote} ") == 1)
            yield compare(f"{name} has the WireGuard peers that it had", before[name], after[name])
        else:
            yield compare(f"{name} has one WireGuard peer more: {key}", before[name] | {key}, after[name])


def take_back(scene: Scene) -> Iterator[Check]:
    """`git revert`, signed: every kernel is what it was before."""
    container = scene.network(GROWING).container(NEW_MACHINE)
    network = f"{container.tenant}/{container.network}"
    scene.machine(NEW_MACHINE).output(["tnet", "detach", network, container.namespace])
    streams = start_streams(scene, without=container)
    signer = scene.person(GROWING)
    began = time.monotonic()
    scene.commits["revert"] = scene.repository.revert(scene.commits["extend"], signer)
    scene.await_converged(scene.repository.push())
    took = time.monotonic() - began
    yield Check(f"git revert, signed by {signer.name}, pushed: converged {took:.1f} s later", True)
    yield no_losses(streams)
    left = differences(scene.seen["before the extension"], scene.look("taken back"))
    yield Check("every kernel is exactly what it was before the extension", not left, left)
