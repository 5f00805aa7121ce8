"""Tenants: written down by root, with a proof by every key that its holder wants to be this tenant.

From then on a tenant is its own: it changes its keys and leaves by itself. Root can suspend it, and give it
new keys if it is locked out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from reconciler.authoring.change import Change, require_new
from reconciler.authoring.consequences import consequences, of_tenant
from reconciler.authoring.errors import AuthoringError, NothingToDo
from reconciler.model import paths
from reconciler.model.documents import (
    Document,
    KeyProof,
    Metadata,
    Principal,
    Signers,
    Suspension,
    SuspensionSpec,
    Tenant,
    TenantSpec,
)
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
    tenant = Tenant(
        api_version="tnet/v1",
        metadata=Metadata(name=name),
        spec=TenantSpec(signers=_signers(proven, threshold), proofs=_proofs(proven)),
    )
    return Change(f"tenant {name}: add", {path: tenant})


def recover_tenant(model: Model, name: str, proven: Sequence[Proven], threshold: int) -> Change:
    """Other keys and another threshold in place of the tenant's own (root signs); all else stays.

    The keys of its rules stay, too, and so do their proofs.
    """
    before = existing_tenant(model, name)
    signers = _signers(proven, threshold)
    ruled = {
        key for rule in before.spec.rules for principal in rule.signers.principals for key in principal.keys
    }
    _require_free_names(before, signers)
    new = {item.key for item in proven}
    kept = tuple(proof for proof in before.spec.proofs if proof.key in ruled and proof.key not in new)
    spec = replace(before.spec, signers=signers, proofs=(*kept, *_proofs(proven)))
    notes = ["every node lists this as a RECOVERY, for ever"]
    if ruled:
        notes.append("its rules stay: the tenant should look at who they name")
    document = replace(before, spec=spec)
    return Change(f"tenant {name}: recover", {paths.tenant_path(name): document}, tuple(notes))


def _require_free_names(tenant: Tenant, signers: Signers) -> None:
    """A name stands for the same keys all over a document, and root can't change the tenant's rules."""
    keys = {
        principal.name: set(principal.keys)
        for rule in tenant.spec.rules
        for principal in rule.signers.principals
    }
    for principal in signers.principals:
        if keys.get(principal.name, set(principal.keys)) != set(principal.keys):
            raise AuthoringError(
                f"a rule of the tenant names a {principal.name} with other keys, and root can't change that",
                f"let the proof be made under another name: tnet tenant prove {tenant.metadata.name} "
                f"--principal {principal.name}-2",
            )


def remove_tenant(model: Model, name: str, *, with_networks: bool) -> Change:
    """No such tenant any more, for ever (the tenant signs); its networks go with it."""
    existing_tenant(model, name)
    networks = [network.metadata.name for network in model.networks_of(name)]
    if networks and not with_networks:
        listed = ", ".join(f"{name}/{network}" for network in networks)
        raise AuthoringError(
            f"{name} still has networks: {listed}",
            "give them up in the same commit with --with-networks, or before: tnet network delete",
        )
    documents: dict[str, Document | None] = {paths.network_path(name, network): None for network in networks}
    documents[paths.tenant_path(name)] = None
    grants = [farm for farm, _ in model.farms() if model.grant(farm, name) is not None]
    left = (f"farmers may revoke its grants now: {', '.join(grants)}",) if grants else ()
    notes = (f"the name {name} can never be used again", *left)
    return Change(f"tenant {name}: remove", documents, notes)


def suspend_tenant(model: Model, name: str, reason: str) -> Change:
    """All of the tenant's networks stop on every node until it is resumed (root signs)."""
    existing_tenant(model, name)
    path = paths.suspension_path(name)
    before = model.suspension(name)
    if before is not None and before.spec.reason == reason:
        raise NothingToDo(f"{name} is suspended already, for this reason: {path}")
    document = Suspension(
        api_version="tnet/v1", metadata=Metadata(name=name), spec=SuspensionSpec(reason=reason)
    )
    if before is not None:
        document = replace(before, spec=document.spec)
    documents = {path: document}
    return Change(
        f"tenant {name}: suspend", documents, consequences(model, documents, of_tenant(model, name))
    )


def resume_tenant(model: Model, name: str) -> Change:
    """The tenant is no longer suspended (root signs)."""
    if model.suspension(name) is None:
        raise NothingToDo(f"{name} isn't suspended: there is no {paths.suspension_path(name)} in effect")
    documents = {paths.suspension_path(name): None}
    return Change(f"tenant {name}: resume", documents, consequences(model, documents, of_tenant(model, name)))


def existing_tenant(model: Model, name: str) -> Tenant:
    """The tenant in effect; raises AuthoringError."""
    tenant = model.tenant(name)
    if tenant is None:
        raise AuthoringError(
            f"there is no tenant {name} in effect", f"root adds it: tnet tenant add {name} …"
        )
    return tenant


def _signers(proven: Sequence[Proven], threshold: int) -> Signers:
    """Those who proved a key; raises AuthoringError for a threshold that they can't meet."""
    signers = Signers(principals=_principals(proven), threshold=threshold)
    if threshold > len(signers.principals):
        raise AuthoringError(
            f"threshold {threshold} can't be met by {len(signers.principals)} principal(s)",
            "give a proof of each person: --proof FILE --proof FILE",
        )
    return signers


def _proofs(proven: Sequence[Proven]) -> tuple[KeyProof, ...]:
    return tuple(KeyProof(key=item.key, signature=item.signature) for item in proven)


def _principals(proven: Sequence[Proven]) -> tuple[Principal, ...]:
    keys: dict[str, list[str]] = {}
    for item in proven:
        keys.setdefault(item.principal, []).append(item.key)
    return tuple(Principal(name=name, keys=tuple(held)) for name, held in keys.items())
