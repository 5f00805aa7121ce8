"""`tnet key show`."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.authoring.key_search import usable_value
from reconciler.authoring.signing_key import choose_with_source, public_key
from reconciler.cli.key_list import configured_in
from reconciler.cli.known_roles import known_roles, plain_roles, roles_text
from reconciler.cli.options import key_option, repo_option
from reconciler.cli.output import example, output_option, print_json
from reconciler.ledger.signatures.keys import from_text


@click.command(epilog=example("tnet key show", "tnet key show --key ~/.ssh/ledger", "tnet key show -o json"))
@key_option
@repo_option
@output_option
def command(key: str | None, repo: Path, output: str) -> None:
    """Show the key that signs: its public half, to hand to root or a farmer, and what it may do here."""
    source, chosen = choose_with_source(key, configured_in(repo))
    found = from_text(public_key(chosen))
    value, roles = usable_value(chosen, found.text), known_roles(repo)
    if output == "json":
        return print_json(
            {
                "public_key": found.text,
                "fingerprint": found.fingerprint,
                "application": found.application,
                "chosen_by": source,
                "use_as": value,
                "roles": plain_roles(roles, found),
            }
        )
    facts = {
        "fingerprint": found.fingerprint,
        "chosen by": source,
        "private half": value or "not here: no file beside it, and no agent holds it",
        "touch": "a security key: touch it for every signature" if found.application else "",
        "in the ledger": roles_text(roles, found),
    }
    click.echo(found.text)
    for name, fact in facts.items():
        if fact:
            click.echo(f"  {name:<13} {fact}")
    return None
