"""`tnet network renumber`."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.authoring.author import Author
from reconciler.authoring.document_text import changed_text
from reconciler.authoring.errors import AuthoringError, NothingToDo
from reconciler.authoring.files import ReadyFiles
from reconciler.authoring.renumber import renumber
from reconciler.cli.names import NETWORK, Pair
from reconciler.cli.options import repo_option
from reconciler.cli.output import example
from reconciler.model.documents import Network
from reconciler.model.loader import load
from reconciler.model.paths import network_path


@click.command(
    epilog=example(
        "git fetch && git rebase origin/main && git reset origin/main",
        "tnet network renumber acme/web",
        "tnet commit",
    )
)
@click.argument("network", type=NETWORK, metavar="TENANT/NETWORK")
@repo_option
def command(network: Pair, repo: Path) -> None:
    """Replace numbers that another network was faster to take, in the file as it lies in your work tree.

    Slots and VNIs are unique; of two networks that chose the same, the one accepted first keeps it. The
    file is changed, not committed. What you have committed already and nobody has yet, take back into the
    files before (git rebase, git reset): nothing may be built on a commit that is rejected.
    """
    path = network_path(*network)
    with Author.open(repo) as author:
        changes = {path: _renumbered(author, network, path)}
    with ReadyFiles(author.tree, changes) as files:
        files.put()
    click.echo(f"gave {network} free numbers in {path}")
    click.echo("next: tnet commit")


def _renumbered(author: Author, network: Pair, path: str) -> bytes:
    content = author.tree.read(path)
    if content is None:
        raise AuthoringError(f"{path}: there is no such file")
    before = load(path, content)
    assert isinstance(before, Network)
    after = renumber(author.model, before, path)
    if after == before:
        raise NothingToDo(f"{network}: nobody else has its numbers")
    return changed_text(path, content, after)
