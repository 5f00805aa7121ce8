"""`tnet tenant prove`."""

from __future__ import annotations

import click

from reconciler.authoring.signing_key import choose_signing_key, configured_key
from reconciler.authoring.tenant_proof import proof_text, prove
from reconciler.cli.names import LABEL
from reconciler.cli.options import key_option
from reconciler.cli.output import example, say


@click.command(epilog=example("tnet tenant prove acme --principal dave --key ~/.ssh/id_ed25519 > dave.proof"))
@click.argument("tenant", type=LABEL)
@click.option("--principal", type=LABEL, required=True, help="Who holds the key; a pseudonym will do.")
@key_option
def command(tenant: str, principal: str, key: str | None) -> None:
    """Show that you hold a key and want to be TENANT: print a proof for root to write down.

    Run it where the key is. The proof holds nothing secret.
    """
    click.echo(
        proof_text(tenant, prove(tenant, principal, choose_signing_key(key, configured_key()))), nl=False
    )
    say(
        f"next: hand this to root, who runs: tnet tenant add {tenant} --proof FILE\n"
        f"(for another key of a tenant that you are already: tnet tenant rotate {tenant} --add FILE)"
    )
