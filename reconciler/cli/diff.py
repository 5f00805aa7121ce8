"""`tnet diff`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import click

from reconciler.cli import exits
from reconciler.cli.difference_text import readable
from reconciler.cli.names import DOCUMENT
from reconciler.cli.output import example, output_option, print_json
from reconciler.cli.reading import Source, source_options
from reconciler.ledger.verdict import Verdict
from reconciler.records.about import is_below
from reconciler.records.refused import Refused, as_diff, refused

MOST_SHOWN = 100
"""Files whose differences are printed; of the others only the names."""


@click.command(
    epilog=example("tnet diff", "tnet diff tenants/ac/acme", "tnet diff --list", "tnet diff -o json; echo $?")
)
@click.argument("path", type=DOCUMENT, required=False)
@click.option("--list", "listed", is_flag=True, help="Only the files, and why they were rejected.")
@source_options
@output_option
@click.pass_context
def command(context: click.Context, source: Source, path: str | None, listed: bool, output: str) -> None:
    """Show what lies in HEAD's tree and is not in effect, because it was rejected.

    The difference leads from what is in effect to what was refused; after it, each file with the commit that
    was rejected, why, and what to do. Only at PATH and below, if it is given. Exit code 0 if all that HEAD
    holds is in effect, 2 if not.
    """
    with source.replay() as judged:
        found = [each for each in refused(judged) if path is None or is_below(each.name, path)]
        shown = {} if listed else {each.path: as_diff(judged.store, each) for each in found[:MOST_SHOWN]}
        head = {"commit": judged.books.commit, "state_hash": judged.books.hash}
    if output == "json":
        print_json({**head, "paths": [_plain(each, shown) for each in found]})
    else:
        click.echo(readable("\n".join(_lines(found, shown))))
    context.exit(exits.SOMETHING_TO_DO if found else exits.OK)


_Shown = Mapping[bytes, Sequence[str]]


def _lines(found: Sequence[Refused], shown: _Shown) -> Iterator[str]:
    for lines in shown.values():
        yield from lines
    if shown:
        yield ""
    for each in found:
        yield f"{each.what:<8} {each.name}"
        yield from (f"{'':9}{line}" for line in (_why(each.by), *_advice(each)))
    yield _summary(found)


def _why(by: Verdict) -> str:
    return f"by {by.commit[:12]} (position {by.position}), {by.code}: {by.detail}"


def _advice(each: Refused) -> list[str]:
    """Beside the reason's own: how to take it over, and how to be rid of it."""
    return [
        *each.by.advice.splitlines(),
        f"take it over, knowingly and signed: tnet adopt {each.name}",
        f"be rid of it: tnet repair {each.name}",
    ]


def _summary(found: Sequence[Refused]) -> str:
    if not found:
        return "all that HEAD holds is in effect"
    return f"{len(found)} file{'' if len(found) == 1 else 's'} not in effect"


def _plain(each: Refused, shown: _Shown) -> dict[str, object]:
    return {
        "path": each.name,
        "what": each.what,
        "rejected_by": each.by.commit,
        "position": each.by.position,
        "code": each.by.code,
        "detail": each.by.detail,
        "advice": _advice(each),
        "diff": "".join(f"{line}\n" for line in shown.get(each.path, ())),
    }
