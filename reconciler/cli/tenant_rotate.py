"""`tnet tenant rotate`."""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

import click

from reconciler.authoring.rotation import rotate
from reconciler.authoring.signing_key import parse_public_key
from reconciler.authoring.tenant_proof import read_proof
from reconciler.cli.editing import Editor, editing_options
from reconciler.cli.names import TENANT
from reconciler.cli.output import example


@click.command(
    epilog=example(
        "tnet tenant prove acme --principal dave --key ~/.ssh/new > new.proof",
        "tnet tenant rotate acme --add new.proof --remove ~/.ssh/old.pub",
        "tnet tenant rotate acme --remove erin --threshold 1",
    )
)
@click.argument("tenant", type=TENANT)
@click.option(
    "--add",
    "proofs",
    type=click.File(encoding="utf-8"),
    multiple=True,
    metavar="PROOF",
    help="What `tnet tenant prove` printed for a new key; repeatable.",
)
@click.option(
    "--remove",
    "removed",
    multiple=True,
    metavar="KEY|NAME",
    help="A key as .pub file, as text or by its SHA256: fingerprint; or a principal with all its keys; "
    "repeatable.",
)
@click.option("--threshold", type=click.IntRange(1), help="How many principals have to sign from now on.")
@editing_options
def command(
    editor: Editor, tenant: str, proofs: tuple[TextIO, ...], removed: tuple[str, ...], threshold: int | None
) -> None:
    """Change a tenant's keys: some come, some go, in one commit. Signed by the tenant, with the keys it has.

    A removed key is good up to this commit and not after it, whatever date a signature bears: what it has
    signed on branches no longer counts once this is pushed. If it was stolen, push this straight to the
    ledger's branch.
    """
    if not (proofs or removed or threshold):
        raise click.UsageError("nothing to change: give --add, --remove or --threshold")
    proven = [read_proof(file.name, file.read(), tenant) for file in proofs]
    editor.make(rotate(editor.model, tenant, proven, [_key(word) for word in removed], threshold))


def _key(word: str) -> str:
    """The public key in the file of this name, if there is one."""
    path = Path(word).expanduser()
    if " " in word:
        return parse_public_key(word, "--remove")
    if word.endswith(".pub") and path.is_file():
        return parse_public_key(path.read_text(encoding="utf-8", errors="replace"), word)
    return word
