"""`tnet checkpoint show`."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.authoring.author import Author
from reconciler.authoring.checkpoints import CheckpointDesk
from reconciler.cli.checkpointing import as_plain, branch_option, words
from reconciler.cli.options import repo_option
from reconciler.cli.output import example, output_option, print_json
from reconciler.ledger.checkpoints import checkpoint
from reconciler.ledger.checkpoints.checkpoint import CheckpointRefused, SignedCheckpoint
from reconciler.ledger.signatures import sshsig


@click.command(epilog=example("tnet checkpoint show", "tnet checkpoint show -o json"))
@branch_option
@repo_option
@output_option
def command(branch: str, remote: str, repo: Path, output: str) -> None:
    """Show what lies on the checkpoints' branch, as it says of itself; `verify` says whether it is so."""
    with Author.open(repo) as author:
        files = CheckpointDesk(author, branch, remote).shown()
    shown = {name: _parsed(data) for name, data in files.items()}
    if output == "json":
        return print_json({name: _plain(found) for name, found in shown.items()})
    if not shown:
        click.echo(
            f"there is no checkpoint on {branch}: git fetch {remote}, or make one: tnet checkpoint witness"
        )
    for name, found in shown.items():
        click.echo(f"{name:<14} {_line(found)}")
    return None


def _parsed(data: bytes) -> SignedCheckpoint | str:
    try:
        return checkpoint.parse(data)
    except CheckpointRefused as refused:
        return str(refused)


def _line(found: SignedCheckpoint | str) -> str:
    if isinstance(found, str):
        return found
    keys = ", ".join(_fingerprints(found)) or "nobody"
    return f"{found.checkpoint.sequence}: {words(found.checkpoint)}, signed by {keys}"


def _plain(found: SignedCheckpoint | str) -> dict[str, object]:
    if isinstance(found, str):
        return {"error": found}
    return {**as_plain(found.checkpoint), "keys": _fingerprints(found)}


def _fingerprints(found: SignedCheckpoint) -> list[str]:
    """Of the keys whose signatures these are; what doesn't hold is said in place of one."""
    try:
        return [key.fingerprint for key in found.signed.keys(checkpoint.NAMESPACE)]
    except sshsig.SignatureRefused as refused:
        return [f"({refused})"]
