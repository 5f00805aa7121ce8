"""`tnet log`."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

import click

from reconciler.cli.names import FARM, TENANT, TRANSACTIONS
from reconciler.cli.output import example, output_option, print_json
from reconciler.cli.reading import Source, say_if_unknown, source_options, stretch
from reconciler.ledger.verdict import Reason, Verdict
from reconciler.records.about import about_farm, about_tenant, is_below
from reconciler.records.claimed_date import claimed_date

_EXAMPLES = example(
    "tnet log",
    "tnet log -n 5 --rejected",
    "tnet log --tenant acme 120..origin/main",
    "tnet log --path farms/paris -o json",
    "tnet log --node          # on a node: what it has judged",
)


@click.command(epilog=_EXAMPLES)
@click.argument("transactions", type=TRANSACTIONS, default="", metavar="[A..B]")
@click.option("-n", "--number", type=click.IntRange(0), metavar="N", help="Only the last N.")
@click.option("--rejected", is_flag=True, help="Only what nodes rejected.")
@click.option("--tenant", type=TENANT, help="Only what touches this tenant's documents, grants, suspension.")
@click.option("--farm", type=FARM, help="Only what touches this farm's documents.")
@click.option("--path", metavar="PATH", help="Only what touches this file, or a file below it.")
@source_options
@output_option
def command(
    source: Source,
    transactions: str,
    number: int | None,
    rejected: bool,
    tenant: str | None,
    farm: str | None,
    path: str | None,
    output: str,
) -> None:
    """List the ledger's transactions, the last first: verdict, who signed, why rejected.

    A and B are positions (0 is the anchor) or commits: those after A up to B. B alone means all up to it.
    """
    wanted = _filter(rejected, tenant, farm, path)
    with stretch(source, transactions) as (ledger, judged):
        verdicts = list(islice(filter(wanted, reversed(judged)), number))
        if not verdicts:
            say_if_unknown(ledger.model, tenant, farm)
    if output == "json":
        print_json([as_plain(verdict) for verdict in verdicts])
    else:
        for verdict in verdicts:
            click.echo("\n".join(lines(verdict)))


def _filter(
    rejected: bool, tenant: str | None, farm: str | None, path: str | None
) -> Callable[[Verdict], bool]:
    def wanted(verdict: Verdict) -> bool:
        return (
            not (rejected and verdict.accepted)
            and (tenant is None or any(about_tenant(each) == tenant for each in verdict.paths))
            and (farm is None or any(about_farm(each) == farm for each in verdict.paths))
            and (path is None or any(is_below(each, path) for each in verdict.paths))
        )

    return wanted


def as_plain(verdict: Verdict) -> dict[str, object]:
    """For a program."""
    return {
        "commit": verdict.commit,
        "position": verdict.position,
        "accepted": verdict.accepted,
        "recovery": verdict.reason is Reason.RECOVERY,
        "code": verdict.code,
        "detail": verdict.detail,
        "advice": verdict.advice,
        "signers": [
            {"role": signer.role, "principal": signer.principal, "fingerprint": signer.fingerprint}
            for signer in verdict.signers
        ],
        "paths": list(verdict.paths),
        "subject": verdict.subject,
        "author": verdict.author,
        "date": claimed_date(verdict.date),
        "state_hash": verdict.state_hash,
    }


def lines(verdict: Verdict) -> list[str]:
    """For a person: what it was and who signed; why not and what to do."""
    date = claimed_date(verdict.date)[:16]
    head = f"{_mark(verdict)}  {verdict.position:>5}  {verdict.commit[:12]}  {date}  {verdict.subject}"
    told = []
    if verdict.signers:
        told.append("signed by " + ", ".join(str(signer) for signer in verdict.signers))
    if verdict.reason is Reason.RECOVERY:
        told.append(f"root has changed the keys of {', '.join(verdict.paths)} without its owner's signature")
    if not verdict.accepted:
        told += [f"{verdict.code}: {verdict.detail}", *verdict.advice.splitlines()]
    elif not verdict.changes_state:
        told.append(f"changes nothing in effect ({verdict.code})")
    return [head, *(f"          {line}" for line in told)]


def _mark(verdict: Verdict) -> str:
    if verdict.reason is Reason.RECOVERY:
        return "RECOVERY"
    return "accepted" if verdict.accepted else "REJECTED"
