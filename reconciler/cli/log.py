"""`tnet log`."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import click

from reconciler.authoring.author import Author
from reconciler.cli.options import repo_option
from reconciler.cli.output import example, output_option, print_json
from reconciler.ledger.verdict import Verdict


@click.command(epilog=example("tnet log", "tnet log -n 5 --rejected", "tnet log origin/main -o json"))
@click.argument("revision", default="HEAD")
@click.option("-n", "--number", type=click.IntRange(0), metavar="N", help="Only the last N.")
@click.option("--rejected", is_flag=True, help="Only what nodes rejected.")
@repo_option
@output_option
def command(revision: str, number: int | None, rejected: bool, repo: Path, output: str) -> None:
    """List the ledger's transactions up to REVISION, the last first: verdict, who signed, why rejected."""
    with Author.open(repo) as author:
        judged = author.judged(author.tree.resolve(revision)).view.verdicts
    wanted = (verdict for verdict in reversed(judged) if not (rejected and verdict.accepted))
    verdicts = list(islice(wanted, number))
    if output == "json":
        print_json([as_plain(verdict) for verdict in verdicts])
    else:
        for verdict in verdicts:
            click.echo("\n".join(lines(verdict)))


def as_plain(verdict: Verdict) -> dict[str, object]:
    """For a program."""
    return {
        "commit": verdict.commit,
        "position": verdict.position,
        "accepted": verdict.accepted,
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
        "date": _date(verdict),
        "state_hash": verdict.state_hash,
    }


def lines(verdict: Verdict) -> list[str]:
    """For a person: what it was and who signed; why not and what to do."""
    mark = "accepted" if verdict.accepted else "REJECTED"
    head = f"{mark}  {verdict.commit[:12]}  {_date(verdict)[:16]}  {verdict.subject}"
    told = []
    if verdict.signers:
        told.append("signed by " + ", ".join(str(signer) for signer in verdict.signers))
    if not verdict.accepted:
        told += [f"{verdict.code}: {verdict.detail}", *verdict.advice.splitlines()]
    elif not verdict.changes_state:
        told.append(f"changes nothing in effect ({verdict.code})")
    return [head, *(f"          {line}" for line in told)]


def _date(verdict: Verdict) -> str:
    """What the committer claims, in UTC."""
    return datetime.fromtimestamp(verdict.date, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
