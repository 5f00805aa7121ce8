"""In which roles the ledger of a clone knows a key, for verbs that look at keys."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from reconciler.authoring.author import Author
from reconciler.cli.output import say
from reconciler.errors import TnetError
from reconciler.ledger.signatures.keys import PublicKey
from reconciler.ledger.verdict import Signer

Roles = Callable[[PublicKey], tuple[Signer, ...]]


def known_roles(repo: Path) -> Roles | None:
    """By what is in effect at HEAD; None, after saying why, where no ledger can be asked."""
    try:
        with Author.open(repo) as author:
            return author.replay.keyring.roles
    except TnetError as error:
        say(f"without a ledger's word on them: {error}")
        return None


def roles_text(roles: Roles | None, key: PublicKey | None) -> str:
    """One line; empty where there is nothing to say."""
    if roles is None or key is None:
        return ""
    return ", ".join(map(str, roles(key))) or "not known to this ledger"


def plain_roles(roles: Roles | None, key: PublicKey | None) -> list[dict[str, str]] | None:
    """For a program; null where no ledger could be asked."""
    if roles is None:
        return None
    found = roles(key) if key else ()
    return [{"role": signer.role, "principal": signer.principal} for signer in found]
