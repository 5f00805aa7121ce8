"""`tnet receipt`: one verb to write a receipt, and below it the one to check it."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import click

from reconciler.cli.names import COMMIT, DOCUMENT
from reconciler.cli.output import example, say
from reconciler.cli.reading import Source, ledgers_before, source_options, verdict_at
from reconciler.cli.receipt_verify import verify
from reconciler.ledger.checkpoints import checkpoint, checkpoint_branch
from reconciler.ledger.checkpoints.checkpoint import SignedCheckpoint
from reconciler.ledger.signatures.signed_text import MAX_BYTES
from reconciler.records.checkpoints_here import checkpoints_here
from reconciler.records.receipt import encode
from reconciler.records.receipt_check import check
from reconciler.records.receipt_writing import ReceiptWriter, Wanted
from reconciler.whole_file import write_whole

_WRITE = "write"


class _Receipt(click.Group):
    """`tnet receipt COMMIT` is `tnet receipt write COMMIT`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [_WRITE, *args]
        return super().parse_args(ctx, args)


@click.group(
    cls=_Receipt,
    no_args_is_help=True,
    epilog=example("tnet receipt 1f3a9c2 web.receipt", "tnet receipt verify web.receipt --anchor 3f1c…"),
)
def command() -> None:
    """Write one small file that proves a purchase to somebody who has only the anchor; and check it.

    `tnet receipt COMMIT FILE` writes; `tnet receipt verify FILE` checks, without a ledger and without
    a network.
    """


@command.command(
    _WRITE,
    epilog=example(
        "tnet receipt 1f3a9c2 web.receipt",
        "tnet receipt 211 --document tenants/ac/acme/networks/web.yaml > web.receipt",
    ),
)
@click.argument("commit", type=COMMIT)
@click.argument("output", type=click.Path(path_type=Path, dir_okay=False), required=False, metavar="[FILE]")
@click.option(
    "--document",
    "documents",
    type=DOCUMENT,
    multiple=True,
    metavar="PATH",
    help="Only of this document; repeat it for more (default: every network, grant and node).",
)
@click.option(
    "--checkpoint",
    "file",
    type=click.File("rb"),
    metavar="FILE",
    help="The signed checkpoint to lean on (default: the newest here, root's before a witness's).",
)
@click.option(
    "--checkpoints",
    "branch",
    default=checkpoint_branch.NAME,
    show_default=True,
    metavar="BRANCH",
    help="The branch where checkpoints lie.",
)
@source_options
def write(
    source: Source,
    commit: str,
    output: Path | None,
    documents: tuple[str, ...],
    file: BinaryIO | None,
    branch: str,
) -> None:
    """Write the receipt of transaction COMMIT (a commit or a position) to FILE, or print it.

    It holds the signed commits, the documents, and the way from the anchor to them. It leans on a signed
    checkpoint that stands for the transaction; without one there is nothing that others could believe.
    """
    with source.replay() as judged, ledgers_before(source) as before:
        wanted = Wanted(verdict_at(judged, commit), documents or None)
        found = _given(file) if file is not None else tuple(checkpoints_here(judged.store, branch))
        receipt = ReceiptWriter(judged, source.anchor.commit, before).write(wanted, found)
    check(receipt, source.anchor.commit, source.anchor.root_fingerprints)
    data = encode(receipt)
    if output is None:
        click.echo(data, nl=False)
    else:
        write_whole(output, data, mode=0o644, durable=False)
        say(f"{output}: {len(data)} bytes; to check it: tnet receipt verify {output} --anchor COMMIT")


def _given(file: BinaryIO) -> tuple[SignedCheckpoint, ...]:
    return (checkpoint.parse(file.read(MAX_BYTES + 1)),)


command.add_command(verify)
