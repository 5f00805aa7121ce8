"""`tnet tenant recover`."""

from __future__ import annotations

from typing import TextIO

import click

from reconciler.authoring import tenants
from reconciler.authoring.tenant_proof import read_proof
from reconciler.cli.editing import Editor, editing_options
from reconciler.cli.names import TENANT
from reconciler.cli.output import example
from reconciler.cli.proofs import proof_options


@click.command(epilog=example("tnet tenant recover acme --proof dave.proof"))
@click.argument("tenant", type=TENANT)
@proof_options("a new")
@editing_options
def command(editor: Editor, tenant: str, proofs: tuple[TextIO, ...], threshold: int) -> None:
    """Give a tenant that lost its keys new ones, in place of all it has. Signed by root's threshold.

    It changes keys and threshold and nothing else, stands alone in its commit, and every node lists it as a
    RECOVERY for ever. Make sure by other means that you speak with the tenant.
    """
    proven = [read_proof(file.name, file.read(), tenant) for file in proofs]
    editor.make(tenants.recover_tenant(editor.model, tenant, proven, threshold))
