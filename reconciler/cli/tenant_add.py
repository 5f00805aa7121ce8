"""`tnet tenant add`."""

from __future__ import annotations

from typing import TextIO

import click

from reconciler.authoring import tenants
from reconciler.authoring.tenant_proof import read_proof
from reconciler.cli.editing import Editor, editing_options
from reconciler.cli.names import LABEL
from reconciler.cli.output import example
from reconciler.cli.proofs import proof_options


@click.command(epilog=example("tnet tenant add acme --proof dave.proof"))
@click.argument("tenant", type=LABEL)
@proof_options("one")
@editing_options
def command(editor: Editor, tenant: str, proofs: tuple[TextIO, ...], threshold: int) -> None:
    """Write a tenant into the ledger, with a proof by each of its keys. Signed by root."""
    proven = [read_proof(file.name, file.read(), tenant) for file in proofs]
    change = tenants.add_tenant(editor.model, tenant, proven, threshold)
    editor.make(change, f"farmers let it in: tnet farm grant FARM {tenant} --max-resources 10")
