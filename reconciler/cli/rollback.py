"""`tnet rollback`."""

from __future__ import annotations

import click

from reconciler.authoring import rollback
from reconciler.cli.editing import Editor, editing_options
from reconciler.cli.names import COMMIT
from reconciler.cli.output import example


@click.command(epilog=example("tnet log", "tnet rollback 1f3a9c2"))
@click.argument("commit", type=COMMIT)
@editing_options
def command(editor: Editor, commit: str) -> None:
    """Take transaction COMMIT back, by a new signed one: its files say again what they said before.

    Later changes of other lines stay. Of a rejected transaction nothing is in effect; rolling it back
    gives its files their effective contents again. The policy comes back under a new version. A recovery
    stands, and a removed tenant's name never comes back.
    """
    author = editor.author
    verdict = rollback.find_transaction(author, author.tree.resolve(commit))
    changes = rollback.undo(author, verdict)
    author.tree.require_ready(changes.keys())
    notes = (f"takes back {verdict.commit[:12]} ({verdict.code})",)
    editor.write(f'Roll back "{verdict.subject}"', changes, notes)
