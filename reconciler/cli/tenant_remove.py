"""`tnet tenant remove`."""

from __future__ import annotations

import click

from reconciler.authoring import tenants
from reconciler.cli.editing import Editor, editing_options
from reconciler.cli.names import TENANT
from reconciler.cli.output import example


@click.command(epilog=example("tnet tenant remove acme --with-networks"))
@click.argument("tenant", type=TENANT)
@click.option("--with-networks", is_flag=True, help="Give up all its networks in the same commit.")
@editing_options
def command(editor: Editor, tenant: str, with_networks: bool) -> None:
    """Leave the ledger, for ever: the name is never used again. Signed by the tenant.

    It can't be rolled back. Root can't do it in the tenant's place: it suspends (`tnet tenant suspend`).
    """
    editor.make(tenants.remove_tenant(editor.model, tenant, with_networks=with_networks))
