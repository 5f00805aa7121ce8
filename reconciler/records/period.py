"""What was held over a stretch of the ledger, counted in NRs and transactions.

The ledger has no clock: dates in commits are claims. Its own time is the position. An NR that is held after
transaction p counts once for the interval from p to p + 1. So the sum over a period is the sum of those over
its parts, and everybody who has the same ledger comes to the same sums.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from reconciler.records.event import Event, Kind, farm_of
from reconciler.records.held import Held, by_position


@dataclass(frozen=True, slots=True)
class Period:
    """From the state after transaction `first` to the state after transaction `last`."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Sum:
    """What a tenant held in a farm: NRs at the period's start, at its end and at most; NRs times
    transactions; and how much of that was suspended."""

    tenant: str
    farm: str
    start: int
    end: int
    most: int
    held: int
    suspended: int


def sums(events: Iterable[Event], period: Period) -> tuple[Sum, ...]:
    """Of every tenant and farm with something held in the period, sorted."""
    accounts: defaultdict[tuple[str, str], _Account] = defaultdict(lambda: _Account(period))
    state = Held()
    for position, happened in by_position(events):
        if position > period.last:
            break
        for key, held, suspended in _changes(state, happened):
            accounts[key].change(position, held, suspended)
    closed = (account.closed(*key) for key, account in sorted(accounts.items()))
    return tuple(each for each in closed if each.most)


def _changes(state: Held, events: Iterable[Event]) -> Iterator[tuple[tuple[str, str], int, int]]:
    """By how much each tenant's NRs in each farm become more, held and suspended."""
    for event in events:
        stopped = frozenset(state.suspended.get((event.tenant, event.network), ()))
        for node in event.nodes:
            held, suspended = _change(event.kind, node in stopped)
            if held or suspended:
                yield (event.tenant, farm_of(node)), held, suspended
        state.add(event)


def _change(kind: Kind, stopped: bool) -> tuple[int, int]:
    if kind is Kind.PURCHASE:
        return 1, 0
    if kind is Kind.CANCELLATION:
        return -1, -int(stopped)
    if kind is Kind.SUSPENSION:
        return 0, int(not stopped)
    return 0, -1 if kind is Kind.RESUMPTION else 0


@dataclass(slots=True)
class _Account:
    """One tenant in one farm. What it held is added up whenever it changes, up to there."""

    period: Period
    held: int = 0
    suspended: int = 0
    since: int = 0
    start: int = 0
    most: int = 0
    held_sum: int = 0
    suspended_sum: int = 0

    def change(self, position: int, held: int, suspended: int) -> None:
        """From this transaction on it is so many more. Several changes of one transaction are one."""
        self._add_up(position)
        self.held += held
        self.suspended += suspended

    def _add_up(self, position: int) -> None:
        if position == self.since:
            return
        length = max(0, position - max(self.since, self.period.first))
        self.held_sum += self.held * length
        self.suspended_sum += self.suspended * length
        if position > self.period.first >= self.since:
            self.start = self.held
        if position > self.period.first:
            self.most = max(self.most, self.held)
        self.since = position

    def closed(self, tenant: str, farm: str) -> Sum:
        """The sums, with the stretch from the last change to the period's end."""
        end = self.held
        self._add_up(self.period.last)
        if self.period.first >= self.since:
            self.start = end
        return Sum(tenant, farm, self.start, end, max(self.most, end), self.held_sum, self.suspended_sum)
