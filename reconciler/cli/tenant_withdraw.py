"""`tnet tenant withdraw`."""

from __future__ import annotations

import click

from reconciler.authoring.withdrawal import consents, withdraw
from reconciler.cli.editing import Editor, editing_options
from reconciler.cli.names import COMMIT, TENANT
from reconciler.cli.output import example


@click.command(epilog=example("tnet tenant withdraw feature", "tnet tenant withdraw 1f3a9c2 77ab01d"))
@click.argument("commits", type=COMMIT, nargs=-1, required=True)
@click.option("--tenant", type=TENANT, help="Whose consent (default: whose documents they change).")
@editing_options
def command(editor: Editor, commits: tuple[str, ...], tenant: str | None) -> None:
    """Take back the consent that signed COMMITS gave and that nobody has merged yet. Signed by the tenant.

    Listed is each commit's id without its signature: whoever passes a commit on can write its signature down
    in another way, and so give it another id. Push this straight to the ledger's branch: a forge that wants
    the commit merged can hold back a pull request.
    """
    editor.make(withdraw(editor.author, tenant, consents(editor.author, commits)))
