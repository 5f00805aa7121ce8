"""`tnet commit`."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.authoring.by_hand import edited
from reconciler.authoring.commit import Changes
from reconciler.cli.editing import Editor, editing_options
from reconciler.cli.output import example


@click.command(epilog=example("$EDITOR tenants/ac/acme/networks/web.yaml", "tnet commit -m 'two relays'"))
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@editing_options
def command(editor: Editor, paths: tuple[Path, ...]) -> None:
    """Commit documents that you edited by hand, signed: all of them, or those at PATHS.

    Each is checked before, and the commit is made only if nodes would accept it.
    """
    author = editor.author
    only = [author.tree.relative(path) for path in paths]
    changes = edited(author, only)
    author.require_based_on_effective(changes.keys())
    editor.write(_subject(changes), changes, ())


def _subject(changes: Changes) -> str:
    verb = "Edit" if any(content is not None for content in changes.values()) else "Remove"
    return f"{verb} {next(iter(changes))}" if len(changes) == 1 else f"{verb} {len(changes)} documents"
