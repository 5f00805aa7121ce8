"""What one transaction does to one network: NRs bought, given up, changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciler.ledger.verdict import Verdict
from reconciler.model.documents import Document, Network, Resource
from reconciler.model.paths import Place
from reconciler.records.event import Event, Kind, signers_for


def resources(document: Document | None) -> Mapping[str, Resource]:
    """The NRs of a network by node; none of anything else."""
    return {nr.node: nr for nr in document.spec.resources} if isinstance(document, Network) else {}


def network_events(
    verdict: Verdict, place: Place, old: Document | None, new: Document | None
) -> Iterator[Event]:
    """The events between two versions of a network's document; none for other kinds."""
    if place.kind is not Network:
        return
    before, after = resources(old), resources(new)
    added = tuple(sorted(after.keys() - before.keys()))
    removed = tuple(sorted(before.keys() - after.keys()))
    altered = tuple(sorted(node for node in before.keys() & after.keys() if before[node] != after[node]))
    if old is None or added:
        yield _event(verdict, Kind.PURCHASE, place, added, "", whole=old is None)
    if new is None or removed:
        yield _event(verdict, Kind.CANCELLATION, place, removed, "", whole=new is None)
    told = _altered(old, new, bool(altered))
    if told:
        yield _event(verdict, Kind.CHANGE, place, altered, told)


def _altered(old: Document | None, new: Document | None, resources_altered: bool) -> str:
    """Which fields differ, apart from NRs that came or went."""
    if not isinstance(old, Network) or not isinstance(new, Network):
        return ""
    fields = ["resources"] if resources_altered else []
    if old.metadata.description != new.metadata.description:
        fields.append("description")
    others = (name for name in Network.__struct_fields__ if name not in ("metadata", "spec"))
    fields += [name for name in others if getattr(old, name) != getattr(new, name)]
    inner = (name for name in old.spec.__struct_fields__ if name != "resources")
    fields += [name for name in inner if getattr(old.spec, name) != getattr(new.spec, name)]
    return ", ".join(fields)


def _event(
    verdict: Verdict, kind: Kind, place: Place, nodes: tuple[str, ...], detail: str, whole: bool = False
) -> Event:
    return Event(
        kind=kind,
        position=verdict.position,
        commit=verdict.commit,
        date=verdict.date,
        tenant=place.tenant,
        network=place.name,
        farm="",
        nodes=nodes,
        detail=detail,
        signers=signers_for(verdict, f"tenant {place.tenant}"),
        whole=whole,
    )
