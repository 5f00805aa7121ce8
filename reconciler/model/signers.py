"""Whom a document names: its own signers, and those of its rules for some of the paths below it.

    policy    its own are root; rules for suspensions, farms and tenants (where root signs for them)
    farm      its own are the farmers; rules for the farm's nodes and grants
    tenant    its own are the tenant's signers; rules for the tenant's networks

A rule replaces the document's own signers for the paths that it matches; of several the first counts. The
document itself is always its own signers' to change, so nobody can be shut out by a rule.
"""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.model.documents import Document, Farm, Policy, Principal, Rule, Signers, Tenant
from reconciler.model.paths import shard
from reconciler.model.patterns import covering, matches

Naming = Policy | Farm | Tenant
"""The kinds of document that name signers."""


def own_signers(document: Naming) -> Signers:
    """Who signs for the document itself, and for what no rule of it is for."""
    if isinstance(document, Policy):
        return document.spec.root
    return document.spec.farmers if isinstance(document, Farm) else document.spec.signers


def signers_for(document: Naming, path: str) -> Signers:
    """Who signs for the document at `path` by this document's word: the first rule that matches, or its own.

    Only asked for what falls to this document: a farm's file is its farmers' to change and root's to
    create, so a policy's rule for it counts when it is created or removed.
    """
    if document.spec.rules:
        for scope in scopes(document):
            if matches(scope, path):
                return _by_rule(document.spec.rules, covering(path, scope)) or own_signers(document)
    return own_signers(document)


def _by_rule(rules: tuple[Rule, ...], patterns: frozenset[str]) -> Signers | None:
    return next((rule.signers for rule in rules if not patterns.isdisjoint(rule.paths)), None)


def scopes(document: Naming) -> tuple[str, ...]:
    """For which paths a rule of this document may be, as the widest patterns."""
    if isinstance(document, Policy):
        return "trust/suspensions/*", "farms/*/farm.yaml", "tenants/*/*/tenant.yaml"
    name = document.metadata.name
    if isinstance(document, Farm):
        return f"farms/{name}/nodes/*", f"farms/{name}/grants/*"
    return (f"tenants/{shard(name)}/{name}/networks/*",)


def all_principals(document: Document | None) -> tuple[Principal, ...]:
    """Everybody who may sign for something by this document's word, each once. Witnesses may not."""
    if not isinstance(document, Naming):
        return ()
    return tuple({principal.name: principal for principal in _principals(document)}.values())


def _principals(document: Naming) -> Iterator[Principal]:
    yield from own_signers(document).principals
    for rule in document.spec.rules:
        yield from rule.signers.principals
