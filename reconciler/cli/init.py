"""`tnet init`."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.authoring.errors import SigningError
from reconciler.authoring.genesis import first_policy, start_ledger
from reconciler.authoring.signing_key import SigningKey, choose_signing_key, configured_key, public_key
from reconciler.cli.keys import PRINCIPAL_KEY, principals
from reconciler.cli.names import LABEL
from reconciler.cli.options import key_option
from reconciler.cli.output import example, output_option, print_json
from reconciler.ledger.anchor import Anchor
from reconciler.model.documents import Principal


@click.command(
    epilog=example(
        "tnet init ledger --key ~/.ssh/id_ed25519",
        "tnet init ledger --root alice=alice.pub --root bob=bob.pub --threshold 2 --key ~/.ssh/id_ed25519",
    )
)
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False), metavar="DIR")
@click.option("--name", type=LABEL, default="root", show_default=True, help="What root is called.")
@click.option(
    "--root",
    "roots",
    type=PRINCIPAL_KEY,
    multiple=True,
    help="One of several roots, NAME=FILE.pub; repeatable, also for several keys of one.",
)
@click.option(
    "--threshold", type=click.IntRange(1), default=1, help="How many roots have to sign (default 1)."
)
@click.option("--branch", metavar="BRANCH", default="main", show_default=True, help="The ledger's branch.")
@key_option
@output_option
def command(
    directory: Path,
    name: str,
    roots: tuple[tuple[str, str], ...],
    threshold: int,
    branch: str,
    key: str | None,
    output: str,
) -> None:
    """Start a new ledger in DIR: a repository whose first commit names its root keys.

    That commit is the anchor. Nodes and people get its id and the fingerprints of the root keys by another
    way than the forge; all else they verify from there.
    """
    signing_key = choose_signing_key(key, configured_key())
    named = principals(roots) if roots else (Principal(name=name, keys=(public_key(signing_key),)),)
    _require_root(signing_key, named)
    anchor = start_ledger(directory, first_policy(named, threshold), signing_key, branch)
    _tell(directory, anchor, output)


def _require_root(key: SigningKey, roots: tuple[Principal, ...]) -> None:
    if not any(public_key(key) in root.keys for root in roots):
        raise SigningError(
            "the key you sign with is none of the roots you named", "sign with one of theirs: --key FILE"
        )


def _tell(directory: Path, anchor: Anchor, output: str) -> None:
    roots = sorted(anchor.root_fingerprints)
    if output == "json":
        return print_json({"directory": str(directory), "anchor": anchor.commit, "root_keys": roots})
    pins = " ".join(f"--root-key {root}" for root in roots)
    for line in (
        f"started a ledger in {directory}",
        f"  anchor    {anchor.commit}",
        *(f"  root key  {root}" for root in roots),
        "give these to every node and person by another way than the forge:",
        f"  on a node:         tnet node config FARM/NODE --remote URL --anchor {anchor.commit} {pins}",
        f"  in another clone:  tnet trust --anchor {anchor.commit} {pins}",
        f"next: cd {directory} && tnet farm add FARM --farmer NAME=FILE.pub --udp-ports 51820:1000",
    ):
        click.echo(line)
    return None
