"""Purchase records for a person at a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from reconciler.records.claimed_date import claimed_date
from reconciler.records.event import Event
from reconciler.records.lease import Lease, Point
from reconciler.records.period import Period, Sum


def event_lines(events: Iterable[Event]) -> Iterator[str]:
    """Two lines an event: what happened; who signed."""
    for event in events:
        date = claimed_date(event.date)[:10]
        what = " ".join(part for part in (_what(event), ", ".join(event.nodes)) if part)
        yield f"{event.position:>6}  {event.commit[:12]}  {date}  {event.kind.value:<13}  {what}"
        by = ", ".join(str(signer) for signer in event.signers) or "nobody: it is in the anchor"
        told = f"{event.detail}; " if event.detail else ""
        yield f"{'':36}{told}signed by {by}"


def _what(event: Event) -> str:
    if event.kind.of_grant:
        return f"{event.farm} to {event.tenant or 'every tenant'}"
    return f"{event.tenant}/{event.network}{' (the whole network)' if event.whole else ''}"


def lease_lines(leases: Iterable[Lease]) -> Iterator[str]:
    """One line an NR."""
    rows = [
        (
            f"{lease.tenant}/{lease.network}",
            lease.node,
            _point(lease.since),
            "held" if lease.until is None else _point(lease.until),
            f"suspended: {lease.suspended}" if lease.suspended else "",
        )
        for lease in leases
    ]
    return _columns(("network", "node", "from", "to", ""), rows)


def _point(point: Point) -> str:
    return f"{point.position} {point.commit[:12]} ({claimed_date(point.date)[:10]})"


def sum_lines(sums: Iterable[Sum], period: Period) -> Iterator[str]:
    """One line for each tenant on each farm."""
    yield f"positions {period.first} to {period.last}, {period.last - period.first} transactions"
    head = ("tenant", "farm", "at start", "at end", "at most", "NR x transactions", "of these suspended")
    yield from _columns(
        head,
        [
            (each.tenant, each.farm, *map(str, (each.start, each.end, each.most, each.held, each.suspended)))
            for each in sums
        ],
    )


def _columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for row in (head, *rows):
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
