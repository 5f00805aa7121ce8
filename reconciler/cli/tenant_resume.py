"""`tnet tenant resume`."""

from __future__ import annotations

import click

from reconciler.authoring import tenants
from reconciler.cli.editing import Editor, editing_options
from reconciler.cli.names import SUSPENDED_TENANT
from reconciler.cli.output import example


@click.command(epilog=example("tnet tenant resume acme"))
@click.argument("tenant", type=SUSPENDED_TENANT)
@editing_options
def command(editor: Editor, tenant: str) -> None:
    """Let a suspended tenant's networks run again. Signed by root, or by whom its rules name."""
    editor.make(tenants.resume_tenant(editor.model, tenant))
