"""The first steps: machines, ledger, agents, containers."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.lab import containers, observe
from reconciler.lab.agents import await_status, start_agent
from reconciler.lab.demo.check import Check, compare
from reconciler.lab.demo.scene import Scene
from reconciler.lab.lab import build
from reconciler.lab.ledger_build import configure_nodes, found_ledger
from reconciler.lab.observe import Source

_OUTSIDE = ("203.0.113.10", "2001:db8:ffff::10")


def farm(scene: Scene) -> Iterator[Check]:
    """Machines and cables; then every node reaches the outside host, before tnet has done anything."""
    scene.lab = build(scene.record)
    count = len(scene.lab.machines)
    yield Check(f"{count} machines run, each in namespaces of its own: {', '.join(scene.lab.machines)}", True)
    asked = [(Source(node.name, node), _OUTSIDE) for node in scene.lab.nodes]
    heard = observe.probe_until(asked, [len(_OUTSIDE)] * len(asked), "icmp")
    silent = tuple(node.name for node, answers in zip(scene.lab.nodes, heard, strict=True) if not answers)
    yield Check("every node reaches the outside host over IPv4 and IPv6", not silent, silent)


def ledger(scene: Scene) -> Iterator[Check]:
    """A real repository: keys and identities made now, every commit signed by whoever rules the files."""
    scene.progress("making keys, node identities and signed commits")
    scene.founded = found_ledger(scene.lab, scene.repository)
    lines = tuple(f"{each.signer:<6} {each.subject}" for each in scene.founded.commits)
    yield Check(f"{len(lines)} commits, each signed by its owner:", True, lines, shown=True)
    verified = scene.repository.git("log", "--format=%G?").splitlines()
    yield compare("git verifies every signature too", ["G"] * len(lines), verified)
    configure_nodes(scene.lab, scene.repository, scene.founded.anchor)
    keys = ", ".join(sorted(scene.founded.anchor.root_fingerprints))
    yield Check(f"every node is told its anchor {scene.founded.anchor.commit[:12]} and root key {keys}", True)


def agents(scene: Scene) -> Iterator[Check]:
    """The agents start, each fetches and judges for itself, and converges its own kernel."""
    for node in scene.lab.nodes:
        start_agent(scene.record, node)
    tip = scene.repository.head
    scene.progress("waiting for the agents' first status")
    heard = await_status(scene.lab.nodes, lambda status: status.tip == tip, f"judged up to {tip[:12]}")
    rejected = tuple(f"{name}: {each}" for name, status in heard.items() for each in status.rejected)
    yield Check(
        f"every node has judged the ledger up to {tip[:12]} and rejected nothing", not rejected, rejected
    )
    statuses = scene.await_converged(tip)
    for name, status in statuses.items():
        networks = ", ".join(f"{network.tenant}/{network.network}" for network in status.networks)
        yield Check(f"{name} has converged: {networks}", bool(networks))
    hashes = {status.state_hash for status in statuses.values()}
    yield Check(f"all have computed the same state: {', '.join(sorted(hashes))}", len(hashes) == 1)


def plug(scene: Scene) -> Iterator[Check]:
    """Containers: namespaces on the nodes, plugged in with `tnet attach`; equal addresses in both tenants."""
    networks = scene.networks
    ranges = {network.document.spec.ipv4 for network in networks}
    yield compare(f"both tenants' networks have the same IPv4 range: {', '.join(ranges)}", 1, len(ranges))
    containers.make_namespaces(scene.lab, networks)
    plugged = [container for network in networks for container in network.containers]
    containers.attach(scene.lab, plugged)
    containers.light_beacons(scene.lab, networks)
    lines = tuple(f"{each.name:<12} {each.ipv4}  {each.ipv6}" for each in plugged)
    yield Check(f"{len(plugged)} containers are attached:", True, lines, shown=True)
