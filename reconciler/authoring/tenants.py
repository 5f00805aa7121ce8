"""Tenants: written down by root, with a proof by every key that its holder wants to be this tenant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.authoring.change import Change, require_new
from reconciler.authoring.errors import AuthoringError
from reconciler.model import paths
from reconciler.model.documents import KeyProof, Metadata, Principal, Signers, Tenant, TenantSpec
from reconciler.model.model import Model


@dataclass(frozen=True, slots=True)
class Proven:
    """A principal's key (`<type> <base64>`) with its signature over the tenant's name (base64 SSHSIG)."""

    principal: str
    key: str
    signature: str


def add_tenant(model: Model, name: str, proven: Sequence[Proven], threshold: int) -> Change:
    """A new tenant (root signs). Keys proven under one principal's name count as one signer."""
    path = paths.tenant_path(name)
    require_new(model, path, f"tenant {name}")
    signers = Signers(principals=_principals(proven), threshold=threshold)
    if threshold > len(signers.principals):
        raise AuthoringError(
            f"threshold {threshold} can't be met by {len(signers.principals)} principal(s)",
            "give a proof of each person: --proof FILE --proof FILE",
        )
    proofs = tuple(KeyProof(key=item.key, signature=item.signature) for item in proven)
    tenant = Tenant(
        api_version="tnet/v1",
        metadata=Metadata(name=name),
        spec=TenantSpec(signers=signers, proofs=proofs),
    )
    return Change(f"tenant {name}: add", {path: tenant})


def _principals(proven: Sequence[Proven]) -> tuple[Principal, ...]:
    keys: dict[str, list[str]] = {}
    for item in proven:
        keys.setdefault(item.principal, []).append(item.key)
    return tuple(Principal(name=name, keys=tuple(held)) for name, held in keys.items())
