"""`tnet checkpoint verify`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from reconciler.authoring.author import Author
from reconciler.authoring.checkpoints import CheckpointDesk
from reconciler.cli import exits
from reconciler.cli.checkpointing import as_plain, branch_option, words
from reconciler.cli.options import repo_option
from reconciler.cli.output import example, output_option, print_json
from reconciler.errors import TnetError
from reconciler.ledger.checkpoints import checkpoint
from reconciler.ledger.checkpoints.checkpoint import Checkpoint


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of one checkpoint. `trouble` is empty if it holds."""

    name: str
    checkpoint: Checkpoint | None
    signers: tuple[str, ...]
    expired: bool
    trouble: str


@click.command(
    epilog=example(
        "tnet checkpoint verify",
        "tnet checkpoint verify --fresh || alert",
        "tnet checkpoint verify witness.txt",
    )
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True), required=False)
@click.option("--fresh", is_flag=True, help="Fail, too, unless there is a witness that hasn't expired.")
@branch_option
@repo_option
@output_option
@click.pass_context
def command(
    context: click.Context,
    file: Path | None,
    fresh: bool,
    branch: str,
    remote: str,
    repo: Path,
    output: str,
) -> None:
    """Hold checkpoints against what this clone comes to by judging the ledger for itself.

    Without FILE, those on the branch. Exits 1 if one isn't signed by those who may, is of another history,
    or has another state.
    """
    with Author.open(repo) as author:
        desk = CheckpointDesk(author, branch, remote)
        files = {str(file): file.read_bytes()} if file else desk.shown()
        found = [_finding(desk, name, data) for name, data in files.items() if not name.endswith(".draft")]
    _tell(found, output)
    wanted = any(_is_fresh(each) for each in found) if fresh else bool(found)
    good = wanted and not any(each.trouble for each in found)
    context.exit(exits.OK if good else exits.FAILED)


def _is_fresh(found: Finding) -> bool:
    kind = found.checkpoint.kind if found.checkpoint else None
    return kind is checkpoint.Kind.WITNESS and not found.expired and not found.trouble


def _finding(desk: CheckpointDesk, name: str, data: bytes) -> Finding:
    said: Checkpoint | None = None
    signers: tuple[str, ...] = ()
    try:
        signed = checkpoint.parse(data)
        said = signed.checkpoint
        signers = tuple(str(each) for each in checkpoint.verify(signed, desk.quorum(said.kind)))
        desk.require_true(said)
    except TnetError as error:
        return Finding(name, said, signers, _expired(said), str(error))
    return Finding(name, said, signers, _expired(said), "")


def _expired(said: Checkpoint | None) -> bool:
    return said is not None and said.expires is not None and said.expires < datetime.now(UTC)


def _tell(found: list[Finding], output: str) -> None:
    if output == "json":
        return print_json([_plain(each) for each in found])
    if not found:
        click.echo("there is no checkpoint: git fetch, or make one: tnet checkpoint witness")
    for each in found:
        click.echo("\n".join(_lines(each)))
    return None


def _plain(found: Finding) -> dict[str, object]:
    said = {} if found.checkpoint is None else as_plain(found.checkpoint)
    return {
        "name": found.name,
        **said,
        "signers": list(found.signers),
        "expired": found.expired,
        "trouble": found.trouble,
    }


def _lines(found: Finding) -> list[str]:
    state = f"NOT GOOD: {found.trouble}" if found.trouble else "EXPIRED" if found.expired else "good"
    lines = [f"{found.name}: {state}"]
    if found.checkpoint is not None:
        lines.append(f"  {words(found.checkpoint)}")
    if found.signers:
        lines.append(f"  signed by {', '.join(found.signers)}")
    return lines
