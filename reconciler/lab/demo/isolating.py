"""What must not work: the whole matrix, from inside and from outside, and forged packets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from reconciler.lab import containers, matrix, observe
from reconciler.lab.demo.check import Check
from reconciler.lab.demo.scene import Scene
from reconciler.lab.matrix import Cell, Target
from reconciler.lab.observe import Source
from reconciler.lab.tenants import Container

_TIMEOUT_S = 1.2


def isolation(scene: Scene) -> Iterator[Check]:
    """Every container tries every address that isn't its tenant's, by ICMP, UDP and TCP; and, to show that
    the probe works, those that are."""
    networks = scene.networks
    everyone = [container for network in networks for container in network.containers]
    forbidden = matrix.isolation_targets(networks, scene.lab.topology)
    own = {network.tenant: matrix.own_targets(network) for network in networks}
    asked = {each: own[each.tenant] + [t for t in forbidden if matrix.tries(each, t)] for each in everyone}
    cells = _try_all(
        scene, [(containers.source(scene.lab, each), targets) for each, targets in asked.items()]
    )
    lines = matrix.table([each.name for each in everyone], cells)
    yield from _verdicts(cells, lines, "no container reaches what is not its tenant's")
    yield _identities(everyone, cells)


def _try_all(scene: Scene, asked: Sequence[tuple[Source, Sequence[Target]]]) -> list[Cell]:
    attempts = sum(len(target.addresses) * 3 for _, targets in asked for target in targets)
    scene.progress(f"trying {attempts} ways")
    heard = observe.probe([(source, _addresses(targets)) for source, targets in asked], _TIMEOUT_S)
    late = _once_more(asked, heard)
    return [
        _cell(source, target, {**answers, **more})
        for (source, targets), answers, more in zip(asked, heard, late, strict=True)
        for target in targets
    ]


def _addresses(targets: Iterable[Target]) -> list[str]:
    return [address for target in targets for address in target.addresses]


def _once_more(
    asked: Sequence[tuple[Source, Sequence[Target]]], heard: Sequence[observe.Heard]
) -> list[observe.Heard]:
    """What must answer and did not is asked again with more patience, since a busy machine may be late; what
    must be silent is asked once, and one answer is one too many."""
    missing = [
        (source, [target for target in targets if not _cell(source, target, answers).complete])
        for (source, targets), answers in zip(asked, heard, strict=True)
    ]
    return observe.probe_until(
        [(source, _addresses(targets)) for source, targets in missing],
        [len(_addresses(targets)) * len(matrix.PROTOCOLS) for _, targets in missing],
    )


def _cell(source: Source, target: Target, answers: observe.Heard) -> Cell:
    own = {what: who for what, who in answers.items() if what.split()[1] in target.addresses}
    return Cell(source.name, target, own)


def _verdicts(cells: Iterable[Cell], lines: Sequence[str], claim: str) -> Iterator[Check]:
    """The table with both claims: what must be silent is, and what must answer does."""
    reachable = [cell for cell in cells if cell.target.expected == "all"]
    silent = [cell for cell in cells if cell.target.expected == "none"]
    bad = tuple(str(cell) for cell in silent if not cell.ok)
    tries = sum(len(cell.target.addresses) * 3 for cell in silent)
    yield Check(
        "the matrix (+ all answered, · nothing answered, n! not as it must be):",
        True,
        tuple(lines),
        shown=True,
    )
    yield Check(f"{claim}: {tries} attempts, {len(silent)} cells", not bad and bool(silent), bad)
    deaf = tuple(str(cell) for cell in reachable if not cell.ok)
    yield Check(
        f"the same probes do hear what may answer: {len(reachable)} cells", not deaf and bool(reachable), deaf
    )


def _identities(everyone: Sequence[Container], cells: Iterable[Cell]) -> Check:
    """Equal addresses in both tenants: whoever answers is one's own tenant's."""
    wrong = tuple(
        f"{cell.source}: {what} was answered by {who}"
        for cell in cells
        if cell.target.group == "own network"
        for what, who in cell.answered.items()
        if not what.startswith("icmp") and who.split()[0] != cell.target.name
    )
    shared = {each.ipv4 for each in everyone if sum(each.ipv4 == other.ipv4 for other in everyone) > 1}
    claim = f"{len(shared)} IPv4 addresses exist in both networks; each tenant hears its own container"
    return Check(claim, not wrong and bool(shared), wrong)


def inbound(scene: Scene) -> Iterator[Check]:
    """From outside nothing gets in, not even packets for tenants' addresses thrown straight at a node."""
    targets = matrix.inner_targets(scene.networks)
    sources = list(_throwers(scene))
    asked = [(source, [*targets, *_control(scene, source)]) for source in sources]
    cells = _try_all(scene, asked)
    lines = matrix.table([source.name for source in sources], cells)
    yield from _verdicts(
        cells, lines, "nothing from outside reaches a container, a bridge or a transit address"
    )


def _throwers(scene: Scene) -> Iterator[Source]:
    """The outside host by its own route; the wires' neighbours by way of each node."""
    yield Source("outside", scene.machine("outside"))
    for machine in scene.lab.topology.machines:
        for table in machine.tables:
            yield Source(f"by {table.name}", scene.machine(machine.name), mark=table.mark)


def _control(scene: Scene, source: Source) -> list[Target]:
    """The node itself answers from outside: its own services are not tnet's to close."""
    name = source.name.removeprefix("by ") if source.mark else "p1"
    machine = scene.lab.topology.machine(name)
    addresses = tuple(address.split("/")[0] for address in machine.interfaces[0].addresses)
    return [Target("the nodes themselves", name, addresses, "all")]
