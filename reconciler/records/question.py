"""Whose records somebody wants to see, and of which stretch of the ledger."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.records.event import Event
from reconciler.records.lease import Lease, leases
from reconciler.records.period import Period, Sum, sums


@dataclass(frozen=True, slots=True)
class Question:
    """`tenant` and `farm` are None for all."""

    tenant: str | None
    farm: str | None
    period: Period

    def about(self, tenant: str, farms: Iterable[str]) -> bool:
        """Whether it asks for what this tenant has on these farms. What is open to all (no tenant) is
        everybody's."""
        return self.tenant in (None, tenant or self.tenant) and (self.farm is None or self.farm in farms)


def asked_events(question: Question, events: Iterable[Event]) -> tuple[Event, ...]:
    """The events after the period's first transaction up to its last; with the anchor, all of it, too."""
    period = question.period
    found = (
        event
        for event in events
        if (period.first or -1) < event.position <= period.last and question.about(event.tenant, event.farms)
    )
    return tuple(found if question.farm is None else (event.within(question.farm) for event in found))


def asked_leases(question: Question, events: Iterable[Event]) -> tuple[Lease, ...]:
    """Every NR that was held in the period, as it looked at its end."""
    period = question.period
    return tuple(
        lease
        for lease in leases(event for event in events if event.position <= period.last)
        if (lease.until is None or lease.until.position > period.first)
        and question.about(lease.tenant, (lease.farm,))
    )


def asked_sums(question: Question, events: Iterable[Event]) -> tuple[Sum, ...]:
    """What was held in the period."""
    found = sums(events, question.period)
    return tuple(each for each in found if question.about(each.tenant, (each.farm,)))
