"""What happened to what a tenant holds, and to what a farmer grants."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from reconciler.ledger.repository.objects import CommitId
from reconciler.ledger.verdict import Signer, Verdict


class Kind(Enum):
    """What kind of event. The values stand in exports; they are not renamed."""

    PURCHASE = "purchase"
    CHANGE = "change"
    CANCELLATION = "cancellation"
    SUSPENSION = "suspension"
    RESUMPTION = "resumption"
    GRANT = "grant"
    GRANT_CHANGE = "grant-change"
    GRANT_REMOVAL = "grant-removal"

    @property
    def of_grant(self) -> bool:
        """It is about the seller's half, not about NRs."""
        return self in _OF_GRANTS


_OF_GRANTS = frozenset({Kind.GRANT, Kind.GRANT_CHANGE, Kind.GRANT_REMOVAL})


@dataclass(frozen=True, slots=True)
class Event:
    """One event of one transaction.

    Of NRs: `network` is set, `nodes` are those of the NRs concerned (`<farm>/<node>`), `farm` is empty;
    `whole` says that the network itself begins or ends. Of a grant: `farm` is set, `network` is empty, and
    so is `tenant` if it is open to all.
    `date` is what the committer claims. `signers` are those who signed for this, not all of the transaction.
    """

    kind: Kind
    position: int
    commit: CommitId
    date: int
    tenant: str
    network: str
    farm: str
    nodes: tuple[str, ...]
    detail: str
    signers: tuple[Signer, ...]
    whole: bool = False

    @property
    def farms(self) -> frozenset[str]:
        """Every farm that it concerns."""
        return frozenset((self.farm,)) if self.farm else frozenset(map(farm_of, self.nodes))

    def within(self, farm: str) -> Event:
        """The same, as far as it concerns one farm."""
        return replace(self, nodes=tuple(node for node in self.nodes if farm_of(node) == farm))


def farm_of(node: str) -> str:
    """The farm of a node given as `<farm>/<node>`."""
    return node.partition("/")[0]


def signers_for(verdict: Verdict, role: str) -> tuple[Signer, ...]:
    """Who signed in this role; all who signed, if it was done in another (root recovers a tenant)."""
    found = tuple(signer for signer in verdict.signers if signer.role == role)
    return found or verdict.signers
