"""A tenant's own keys: some come, some go, in one commit of the tenant's."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from msgspec.structs import replace

from reconciler.authoring.change import Change
from reconciler.authoring.errors import AuthoringError, NothingToDo
from reconciler.authoring.tenants import Proven, existing_tenant
from reconciler.ledger.signatures.keys import from_text
from reconciler.model import paths
from reconciler.model.documents import KeyProof, Principal, Rule, Signers, Tenant
from reconciler.model.model import Model
from reconciler.model.signers import all_principals


def rotate(
    model: Model,
    name: str,
    added: Sequence[Proven] = (),
    removed: Collection[str] = (),
    threshold: int | None = None,
) -> Change:
    """The tenant with other keys (the tenant signs, by the keys it has).

    `added`: a key each, for the principal that its proof names. `removed`: fingerprints, public keys, or
    names of principals, who then lose all of theirs. Where a rule names one of them, it is changed there,
    too.
    """
    before = existing_tenant(model, name)
    going = _going(before, removed)
    after = _with_keys(before, added, going, threshold)
    if after == before:
        raise NothingToDo(f"{name} has these keys already")
    _require_reachable(before, after)
    notes = (*_told("added", [item.key for item in added]), *_told("removed", sorted(going)))
    return Change(f"tenant {name}: rotate keys", {paths.tenant_path(name): after}, notes)


def _told(what: str, keys: Sequence[str]) -> list[str]:
    return [f"{what} {from_text(key).fingerprint}" for key in keys]


# --- which keys go -----------------------------------------------------------------------------------


def _going(tenant: Tenant, removed: Collection[str]) -> frozenset[str]:
    return frozenset(key for word in removed for key in _named_by(tenant, word))


def _named_by(tenant: Tenant, word: str) -> tuple[str, ...]:
    """The keys that a name, a fingerprint or a public key stands for; raises AuthoringError if none."""
    principals = all_principals(tenant)
    for principal in principals:
        if principal.name == word:
            return principal.keys
    held = [key for principal in principals for key in principal.keys]
    found = tuple(key for key in held if word in (key, from_text(key).fingerprint))
    if not found:
        known = [
            f"{principal.name} {from_text(key).fingerprint}"
            for principal in principals
            for key in principal.keys
        ]
        raise AuthoringError(f"{tenant.metadata.name} has no key {word}", "it has:\n" + "\n".join(known))
    return found


# --- the document ------------------------------------------------------------------------------------


def _with_keys(
    tenant: Tenant, added: Sequence[Proven], going: Collection[str], threshold: int | None
) -> Tenant:
    coming: dict[str, list[str]] = {}
    for item in added:
        coming.setdefault(item.principal, []).append(item.key)
    ruled = {principal.name for rule in tenant.spec.rules for principal in rule.signers.principals}
    own = {principal.name for principal in tenant.spec.signers.principals}
    new = tuple(
        Principal(name=name, keys=tuple(keys)) for name, keys in coming.items() if name not in ruled | own
    )
    signers = _changed(tenant.spec.signers, coming, going, new)
    spec = replace(
        tenant.spec,
        signers=signers if threshold is None else replace(signers, threshold=threshold),
        rules=tuple(
            Rule(paths=rule.paths, signers=_changed(rule.signers, coming, going))
            for rule in tenant.spec.rules
        ),
        proofs=_proofs(tenant, added, going),
    )
    return replace(tenant, spec=spec)


def _changed(
    signers: Signers,
    coming: dict[str, list[str]],
    going: Collection[str],
    new: tuple[Principal, ...] = (),
) -> Signers:
    """Without the keys that go and those who have none left, and with the keys that come."""
    changed = (
        replace(each, keys=_without_repeats(each.keys, coming.get(each.name, ()), going))
        for each in signers.principals
    )
    kept = tuple(principal for principal in changed if principal.keys)
    return replace(signers, principals=(*kept, *new))


def _without_repeats(held: Sequence[str], coming: Sequence[str], going: Collection[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*(key for key in held if key not in going), *coming)))


def _proofs(tenant: Tenant, added: Sequence[Proven], going: Collection[str]) -> tuple[KeyProof, ...]:
    new = {item.key: KeyProof(key=item.key, signature=item.signature) for item in added}
    kept = (proof for proof in tenant.spec.proofs if proof.key not in going and proof.key not in new)
    return (*kept, *new.values())


# --- what would be left ------------------------------------------------------------------------------


def _require_reachable(before: Tenant, after: Tenant) -> None:
    """Raise AuthoringError if nobody could meet a threshold any more: the tenant would be locked out."""
    name = before.metadata.name
    _require_met(
        after.spec.signers,
        f"the tenant {name}",
        "in the same commit, add who is missing (--add PROOF) or give a lower --threshold N",
    )
    for rule in after.spec.rules:
        where = f"the rule for {', '.join(rule.paths)}"
        _require_met(rule.signers, where, f"edit the rule first: {paths.tenant_path(name)}, then tnet commit")


def _require_met(signers: Signers, where: str, advice: str) -> None:
    left = len(signers.principals)
    if left < signers.threshold:
        raise AuthoringError(
            f"{where} would have a threshold of {signers.threshold}, and {left} to sign", advice
        )
