"""What is held after so many events: the events added up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby

from reconciler.records.event import Event, Kind

Key = tuple[str, str]


@dataclass(slots=True)
class Held:
    """The NRs of each network by node, those of them that are suspended, and when each was bought."""

    networks: dict[Key, dict[str, Event]] = field(default_factory=dict)
    suspended: dict[Key, dict[str, Event]] = field(default_factory=dict)

    def add(self, event: Event) -> None:
        """What stands after this event, the next in the ledger's order."""
        key = (event.tenant, event.network)
        if event.kind is Kind.PURCHASE:
            self.networks.setdefault(key, {}).update(dict.fromkeys(event.nodes, event))
        elif event.kind is Kind.CANCELLATION:
            self._cancel(key, event)
        elif event.kind is Kind.SUSPENSION:
            self.suspended.setdefault(key, {}).update(dict.fromkeys(event.nodes, event))
        elif event.kind is Kind.RESUMPTION:
            self._resume(key, event.nodes)

    def _cancel(self, key: Key, event: Event) -> None:
        for node in event.nodes:
            del self.networks[key][node]
        self._resume(key, event.nodes)
        if event.whole:
            del self.networks[key]

    def _resume(self, key: Key, nodes: Iterable[str]) -> None:
        stopped = self.suspended.get(key, {})
        for node in nodes:
            stopped.pop(node, None)
        if not stopped:
            self.suspended.pop(key, None)


def by_position(events: Iterable[Event]) -> Iterator[tuple[int, list[Event]]]:
    """The events of each transaction that has any, with its position."""
    for position, group in groupby(events, key=lambda event: event.position):
        yield position, list(group)
