"""`tnet repair`."""

from __future__ import annotations

import click

from reconciler.authoring.repair import repaired_tree, repairs
from reconciler.cli.editing import Editor, editing_options
from reconciler.cli.names import DOCUMENT
from reconciler.cli.output import example
from reconciler.ledger.repository.objects import printable


@click.command(
    epilog=example("tnet repair --dry-run", "tnet repair", "tnet repair tenants/ac/acme/networks/web.yaml")
)
@click.argument("paths", nargs=-1, type=DOCUMENT, metavar="[PATH]...")
@editing_options
def command(editor: Editor, paths: tuple[str, ...]) -> None:
    """Bring files back to what is in effect: all that was rejected and still lies in HEAD, or that at PATH.

    Nobody may build on rejected content, so it has to go before the file is edited again. This changes
    nothing for any node, so it takes nobody's permission; the commit is signed if you have a key.
    """
    author = editor.author
    wanted = repairs(author, paths)
    author.tree.require_ready([path.decode("utf-8", "surrogateescape") for path in wanted])
    names = [printable(path) for path in wanted]
    subject = f"Repair {names[0]}" if len(names) == 1 else f"Repair {len(names)} files"
    editor.repair(subject, repaired_tree(author, wanted))
