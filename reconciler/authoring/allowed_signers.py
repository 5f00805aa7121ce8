"""Whose keys count, in the form that git and ssh-keygen read (ssh-keygen(1), ALLOWED SIGNERS).

A principal is written as an address, `dave@acme.tenant`, since spaces end a name there. What the file can't
say is who may change what: it is for people who look at `git log --show-signature`. Nodes never read it.
"""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.ledger.signatures.keys import PublicKey
from reconciler.ledger.signatures.sshsig import GIT_NAMESPACE
from reconciler.ledger.verdict import Signer

_HEAD = "# Written by `tnet key setup`, from what is in effect in the ledger. Changes are lost: run it again."


def address(signer: Signer) -> str:
    """`alice@root`, `bob@paris.farm`, `dave@acme.tenant`: names are DNS labels, so this is no pattern."""
    kind, _, name = signer.role.partition(" ")
    return f"{signer.principal}@{name}.{kind}" if name else f"{signer.principal}@{kind}"


def allowed_signers(holders: Iterable[tuple[PublicKey, tuple[Signer, ...]]]) -> str:
    """The file's text: a line for each key, in a fixed order."""
    lines = sorted(
        f'{",".join(map(address, signers))} namespaces="{GIT_NAMESPACE}" {key.text}'
        for key, signers in holders
    )
    return "\n".join((_HEAD, *lines, ""))
