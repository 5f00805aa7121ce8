"""`tnet key new`."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.authoring.key_making import KINDS, default_file, make_key
from reconciler.cli.output import example, output_option, print_json
from reconciler.ledger.signatures.keys import from_text


@click.command(
    epilog=example(
        "tnet key new", "tnet key new ~/.ssh/ledger", "tnet key new --type ed25519-sk --comment token"
    )
)
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--type",
    "kind",
    type=click.Choice(list(KINDS)),
    default="ed25519",
    show_default=True,
    help="With -sk: in a security key (FIDO), which has to be touched for every signature.",
)
@click.option(
    "--comment", default="tnet", show_default=True, help="Goes into the .pub file; everybody may read it."
)
@click.option("--no-passphrase", is_flag=True, help="Whoever can read the file can then sign with it.")
@output_option
def command(file: Path | None, kind: str, comment: str, no_passphrase: bool, output: str) -> None:
    """Make an SSH key, in FILE and FILE.pub (default: ~/.ssh/id_ed25519, by its type).

    ssh-keygen makes it and asks you for a passphrase. The file without .pub is yours alone: no node, forge or
    colleague ever needs it.
    """
    place = (file or default_file(kind)).expanduser().absolute()
    text = make_key(place, kind, comment, passphrase=not no_passphrase)
    fingerprint = from_text(text).fingerprint
    if output == "json":
        return print_json({"file": str(place), "public_key": text, "fingerprint": fingerprint})
    click.echo(f"{place}: made, {fingerprint}")
    click.echo(f"  to hand out (nothing secret): {place}.pub")
    return click.echo(f"next: in your clone of the ledger: tnet key setup --key {place}")
