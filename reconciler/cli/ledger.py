"""`tnet ledger`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import click

from reconciler.cli import ledger_text
from reconciler.cli.names import COMMIT, FARM, TENANT
from reconciler.cli.output import example, print_json
from reconciler.cli.reading import Source, say_if_unknown, source_options, verdict_at
from reconciler.ledger.replay import Replay
from reconciler.records import history, table
from reconciler.records.event import Event
from reconciler.records.period import Period
from reconciler.records.question import Question, asked_events, asked_leases, asked_sums
from reconciler.records.register import events

_EXAMPLES = example(
    "tnet ledger --tenant acme",
    "tnet ledger --held --farm paris",
    "tnet ledger --sum --from 1200 --to 1800 -o csv > july.csv",
    "tnet ledger --sum --from 3f1c9a2 -o json",
)


@click.command(epilog=_EXAMPLES)
@click.option("--tenant", type=TENANT, help="Only what this tenant bought and was granted.")
@click.option("--farm", type=FARM, help="Only what was bought and granted on this farm.")
@click.option("--from", "first", type=COMMIT, default="0", metavar="AT", help="From the state after it on.")
@click.option("--to", "last", type=COMMIT, metavar="AT", help="Up to the state after it (default: the last).")
@click.option("--held", is_flag=True, help="Every NR, with the transactions that began and ended it.")
@click.option("--sum", "summed", is_flag=True, help="How much each tenant held on each farm.")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json", "csv"]),
    default="text",
    show_default=True,
    help="For a person, for a program, for a spreadsheet.",
)
@source_options
def command(
    source: Source,
    tenant: str | None,
    farm: str | None,
    first: str,
    last: str | None,
    held: bool,
    summed: bool,
    output: str,
) -> None:
    """List what tenants bought, changed and gave up, and what farmers granted.

    Computed from the accepted transactions, and kept nowhere else. AT is a position (0 is the anchor) or a
    commit. Listed are the events after --from up to --to; --sum counts, for each NR, the transactions over
    which it was held. Dates are what committers claim: nothing is counted by them.
    """
    if held and summed:
        raise click.UsageError("--held and --sum are two different lists: choose one")
    with source.replay() as judged:
        question = Question(tenant, farm, _period(judged, first, last))
        happened = tuple(events(history.steps(judged.records(), judged.contents, judged.standing)))
        head = _head(source, judged, question.period)
        if not asked_events(question, happened):
            say_if_unknown(judged.model, tenant, farm)
    answer = _sums if summed else _leases if held else _events
    answer(question, happened, head)[output]()


def _period(judged: Replay, first: str, last: str | None) -> Period:
    end = judged.verdicts[-1].position if last is None else verdict_at(judged, last).position
    period = Period(verdict_at(judged, first).position, end)
    if period.first > period.last:
        raise click.UsageError(f"--from is position {period.first}, after --to, which is {period.last}")
    return period


def _head(source: Source, judged: Replay, period: Period) -> table.Row:
    """Which ledger this is, and how far it was read: who has the same hash comes to the same records."""
    return {
        "anchor": source.anchor.commit,
        "commit": judged.books.commit,
        "position": judged.books.position,
        "state_hash": judged.books.hash,
        "from_position": period.first,
        "to_position": period.last,
    }


_Forms = Mapping[str, Callable[[], None]]


def _events(question: Question, happened: Sequence[Event], head: table.Row) -> _Forms:
    found = asked_events(question, happened)
    rows = [table.event_row(event) for event in found]
    flat = table.one_row_an_nr(rows)
    return _forms(ledger_text.event_lines(found), {**head, "events": rows}, flat, table.EVENT_COLUMNS)


def _leases(question: Question, happened: Sequence[Event], head: table.Row) -> _Forms:
    found = asked_leases(question, happened)
    rows = [table.lease_row(lease) for lease in found]
    return _forms(ledger_text.lease_lines(found), {**head, "resources": rows}, rows, table.LEASE_COLUMNS)


def _sums(question: Question, happened: Sequence[Event], head: table.Row) -> _Forms:
    found = asked_sums(question, happened)
    rows = [table.sum_row(each, question.period) for each in found]
    lines = ledger_text.sum_lines(found, question.period)
    return _forms(lines, {**head, "sums": rows}, rows, table.SUM_COLUMNS)


def _forms(lines: Iterable[str], plain: object, rows: Iterable[table.Row], columns: Sequence[str]) -> _Forms:
    return {
        "text": lambda: click.echo("".join(f"{line}\n" for line in lines), nl=False),
        "json": lambda: print_json(plain),
        "csv": lambda: click.echo(table.csv_text(rows, columns), nl=False),
    }
