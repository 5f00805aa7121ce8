"""Purchase records as rows of plain values: for JSON as they are, for CSV one row an NR.

The names of the columns are documented (docs/spec/purchases.md) and stay.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence

from reconciler.ledger.verdict import Signer
from reconciler.records.claimed_date import claimed_date
from reconciler.records.event import Event, farm_of
from reconciler.records.lease import Lease, Point
from reconciler.records.period import Period, Sum

Row = Mapping[str, object]

EVENT_COLUMNS = (
    *("position", "commit", "date_claimed", "event", "tenant", "network"),
    *("farm", "node", "whole", "detail", "signers"),
)
LEASE_COLUMNS = (
    *("tenant", "network", "farm", "node"),
    *("from_position", "from_commit", "from_date_claimed"),
    *("to_position", "to_commit", "to_date_claimed"),
    *("suspended", "signers"),
)
SUM_COLUMNS = (
    *("tenant", "farm", "from_position", "to_position"),
    *("nrs_at_start", "nrs_at_end", "nrs_at_most", "nr_transactions", "nr_transactions_suspended"),
)


def event_row(event: Event) -> Row:
    """One event, all its NRs in one row."""
    return {
        "position": event.position,
        "commit": event.commit,
        "date_claimed": claimed_date(event.date),
        "event": event.kind.value,
        "tenant": event.tenant,
        "network": event.network,
        "farms": sorted(event.farms),
        "nodes": list(event.nodes),
        "whole": event.whole,
        "detail": event.detail,
        "signers": [_plain(signer) for signer in event.signers],
    }


def lease_row(lease: Lease) -> Row:
    """One NR from its purchase to its end; the end is null while it is held."""
    return {
        "tenant": lease.tenant,
        "network": lease.network,
        "farm": lease.farm,
        "node": lease.node,
        **_point("from", lease.since),
        **_point("to", lease.until),
        "suspended": lease.suspended,
        "signers": [_plain(signer) for signer in lease.signers],
    }


def sum_row(found: Sum, period: Period) -> Row:
    """What one tenant held in one farm over the period."""
    return {
        "tenant": found.tenant,
        "farm": found.farm,
        "from_position": period.first,
        "to_position": period.last,
        "nrs_at_start": found.start,
        "nrs_at_end": found.end,
        "nrs_at_most": found.most,
        "nr_transactions": found.held,
        "nr_transactions_suspended": found.suspended,
    }


def one_row_an_nr(rows: Iterable[Row]) -> Iterator[Row]:
    """Events taken apart for a spreadsheet: `farm` and `node` in place of the lists."""
    for row in rows:
        nodes, farms = row["nodes"], row["farms"]
        assert isinstance(nodes, list) and isinstance(farms, list)
        for node in nodes or [""]:
            where = {"farm": farm_of(node) if node else "".join(farms), "node": node}
            yield {name: value for key, old in row.items() for name, value in _replaced(key, old, where)}


def _replaced(key: str, value: object, where: Row) -> Iterator[tuple[str, object]]:
    if key == "farms":
        yield from where.items()
    elif key != "nodes":
        yield key, value


def csv_text(rows: Iterable[Row], columns: Sequence[str]) -> str:
    """RFC 4180, with a line of names first; several signers in one cell, apart by `; `."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return text.getvalue()


_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def _cell(value: object) -> object:
    """A text that a spreadsheet would take for a formula gets an apostrophe in front."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, list):
        value = "; ".join(f"{each['principal']} ({each['role']}) {each['fingerprint']}" for each in value)
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value


def _plain(signer: Signer) -> dict[str, str]:
    return {"role": signer.role, "principal": signer.principal, "fingerprint": signer.fingerprint}


def _point(prefix: str, point: Point | None) -> Row:
    return {
        f"{prefix}_position": None if point is None else point.position,
        f"{prefix}_commit": None if point is None else point.commit,
        f"{prefix}_date_claimed": None if point is None else claimed_date(point.date),
    }
