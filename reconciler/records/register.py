"""From transactions to events: who bought, changed, gave up what, and what was suspended.

Pure: the same steps give the same events. The model is carried along, because whether an NR runs depends
on other documents than its network's: the node, the farm, the grant, the tenant (`model.suspension`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from reconciler.ledger.verdict import Verdict
from reconciler.model.affected import affected
from reconciler.model.model import EMPTY, Model
from reconciler.model.paths import Place, place_of
from reconciler.model.suspension import suspensions
from reconciler.records.bought import network_events, resources
from reconciler.records.event import Event, Kind
from reconciler.records.granted import grant_events
from reconciler.records.history import Step

Key = tuple[str, str]
"""A network: its tenant's name, and its own."""


def events(steps: Iterable[Step]) -> Iterator[Event]:
    """All events, in the ledger's order; within a transaction grants, then networks, then what runs."""
    register = _Register()
    for step in steps:
        yield from register.enter(step)


@dataclass(slots=True)
class _Register:
    """What stands after the last step. `idle` has the suspended NRs, and why, of each network with any."""

    model: Model = field(default_factory=lambda: EMPTY)
    idle: dict[Key, dict[str, str]] = field(default_factory=dict)

    def enter(self, step: Step) -> Iterator[Event]:
        before, after = self.model, self.model.with_changes(step.documents)
        for path, place in _places(step.documents).items():
            old, new = before.documents.get(path), after.documents.get(path)
            yield from grant_events(step.verdict, place, old, new)
            yield from network_events(step.verdict, place, old, new)
        self.model = after
        for key in sorted(affected(before, after, step.documents)):
            yield from self._suspensions(step.verdict, key)

    def _suspensions(self, verdict: Verdict, key: Key) -> Iterator[Event]:
        """What has come to a standstill, or runs again. An NR that was given up does neither."""
        old = self.idle.pop(key, {})
        new = {node: f"{why.reason}: {why.message}" for node, why in suspensions(self.model, *key).items()}
        if new:
            self.idle[key] = new
        for why in sorted({why for node, why in new.items() if old.get(node) != why}):
            stopped = sorted(node for node in new if new[node] == why and old.get(node) != why)
            yield _standstill(verdict, Kind.SUSPENSION, key, stopped, why)
        held = resources(self.model.network(*key))
        resumed = sorted(node for node in old if node not in new and node in held)
        if resumed:
            yield _standstill(verdict, Kind.RESUMPTION, key, resumed, "")


def _places(paths: Iterable[str]) -> Mapping[str, Place]:
    found = ((path, place_of(path)) for path in sorted(paths))
    return {path: place for path, place in found if place is not None}


def _standstill(verdict: Verdict, kind: Kind, key: Key, nodes: Iterable[str], why: str) -> Event:
    return Event(
        kind=kind,
        position=verdict.position,
        commit=verdict.commit,
        date=verdict.date,
        tenant=key[0],
        network=key[1],
        farm="",
        nodes=tuple(nodes),
        detail=why,
        signers=verdict.signers,
    )
