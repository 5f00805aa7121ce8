"""`tnet tenant suspend`."""

from __future__ import annotations

import click

from reconciler.authoring import tenants
from reconciler.cli.editing import Editor, editing_options
from reconciler.cli.names import TENANT
from reconciler.cli.output import example


@click.command(epilog=example("tnet tenant suspend acme --reason 'Invoice 7 is open.'"))
@click.argument("tenant", type=TENANT)
@click.option(
    "--reason",
    required=True,
    metavar="TEXT",
    help="One line. Every node shows it; all can read it, for ever.",
)
@editing_options
def command(editor: Editor, tenant: str, reason: str) -> None:
    """Stop all networks of a tenant on every node. Signed by root, or by whom its rules name.

    The tenant keeps everything that it has; `tnet tenant resume` lets all of it run again.
    """
    editor.make(tenants.suspend_tenant(editor.model, tenant, reason))
