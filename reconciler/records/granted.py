"""What one transaction does to what a farmer grants: the seller's half of a purchase."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.ledger.verdict import Verdict
from reconciler.model.documents import Document, Farm, Grant, GrantSpec, OpenGrant
from reconciler.model.paths import Place
from reconciler.records.event import Event, Kind, signers_for

_Terms = GrantSpec | OpenGrant


def grant_events(
    verdict: Verdict, place: Place, old: Document | None, new: Document | None
) -> Iterator[Event]:
    """The event between two versions of a grant, or of a farm with its grant that is open to all."""
    before, after = _terms(old), _terms(new)
    if before == after:
        return
    kind = Kind.GRANT if before is None else Kind.GRANT_REMOVAL if after is None else Kind.GRANT_CHANGE
    nodes = () if after is None else tuple(sorted(f"{place.farm}/{node}" for node in after.nodes))
    yield Event(
        kind=kind,
        position=verdict.position,
        commit=verdict.commit,
        date=verdict.date,
        tenant=place.tenant,
        network="",
        farm=place.farm,
        nodes=nodes,
        detail="" if after is None else _told(after),
        signers=signers_for(verdict, f"farm {place.farm}"),
    )


def _terms(document: Document | None) -> _Terms | None:
    if isinstance(document, Grant):
        return document.spec
    return document.spec.open_grant if isinstance(document, Farm) else None


def _told(terms: _Terms) -> str:
    where = f" on {', '.join(terms.nodes)}" if terms.nodes else ""
    if isinstance(terms, OpenGrant):
        most = f"at most {terms.max_resources_per_tenant} NRs a tenant, {terms.max_resources} in all"
        return f"open to every tenant: {most}{where}"
    return f"at most {terms.max_resources} NRs{where}"
