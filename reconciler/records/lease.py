"""One NR from the transaction that bought it to the one that gave it up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from reconciler.ledger.verdict import Signer
from reconciler.records.event import Event, Kind, farm_of


@dataclass(frozen=True, slots=True)
class Point:
    """A transaction, as a beginning or an end. `date` is what the committer claims."""

    position: int
    commit: str
    date: int


@dataclass(frozen=True, slots=True)
class Lease:
    """An NR that is held, or was. `suspended` says why it doesn't run, if it is held and doesn't."""

    tenant: str
    network: str
    node: str
    since: Point
    signers: tuple[Signer, ...]
    until: Point | None = None
    suspended: str = ""

    @property
    def farm(self) -> str:
        return farm_of(self.node)


def leases(events: Iterable[Event]) -> Iterator[Lease]:
    """Every NR that was ever held: those given up in the order in which they ended, then what is held."""
    held: dict[tuple[str, str, str], Lease] = {}
    for event in events:
        for node in event.nodes:
            key = (event.tenant, event.network, node)
            if event.kind is Kind.PURCHASE:
                held[key] = Lease(*key, _point(event), event.signers)
            elif event.kind is Kind.CANCELLATION:
                yield replace(held.pop(key), until=_point(event), suspended="")
            elif event.kind in (Kind.SUSPENSION, Kind.RESUMPTION):
                held[key] = replace(held[key], suspended=event.detail)
    yield from (held[key] for key in sorted(held))


def _point(event: Event) -> Point:
    return Point(event.position, event.commit, event.date)
