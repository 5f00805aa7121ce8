"""`tnet farm revoke-grant`."""

from __future__ import annotations

import click

from reconciler.authoring import farms
from reconciler.cli.editing import Editor, editing_options
from reconciler.cli.names import FARM, TENANT
from reconciler.cli.output import example


@click.command(
    epilog=example("tnet farm revoke-grant paris acme --dry-run", "tnet farm revoke-grant paris acme")
)
@click.argument("farm", type=FARM)
@click.argument("tenant", type=TENANT)
@editing_options
def command(editor: Editor, farm: str, tenant: str) -> None:
    """Take a tenant's grant on a farm back; says what that suspends. Signed by a farmer.

    What is suspended keeps its numbers and runs again when the grant is back. Where the farm has an open
    grant, the tenant falls to that.
    """
    editor.make(farms.revoke_grant(editor.model, farm, tenant))
