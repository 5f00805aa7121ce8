"""The judgement of one transaction: a pure function of the state before it and of what the repository holds.

The order of the steps is that of docs/spec/ledger.md, section 7, and the first that fails gives
the verdict:

 1. What it touches: governed paths that differ from the first parent. None: void. Too many to be listed:
    rejected.
 2. Repairs: paths brought back to what is in effect need nothing. Only such: repair.
 3. Bounds, the form of paths and modes.
 4. The base of each path is what is in effect, not something that was refused (of a merge: section 9).
 5. Authority: enough principals, named by the state before, have signed each change; and nothing is left out
    of what they signed as one.
 6. The documents: readable, of the right kind, right by themselves.
 7. A recovery is no more than that; the policy's own steps; a tenant leaves no networks behind, and its name
    is not used again.
 8. No document newly breaks a rule beside the others.

Nothing here reads a clock, a file or an environment. A `LocalTrouble` of the provider goes through: it is no
verdict.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import NamedTuple

from reconciler.ledger import bounds, governed
from reconciler.ledger.judging import content
from reconciler.ledger.judging.approval import Approved, approvals
from reconciler.ledger.judging.books import Books, Touched
from reconciler.ledger.judging.provenance import Provenance
from reconciler.ledger.judging.provider import Provider, Transaction
from reconciler.ledger.judging.rejected import Rejected
from reconciler.ledger.judging.state import State
from reconciler.ledger.judging.touching import Scope, require_as_adopted, scope_of, with_adopted
from reconciler.ledger.judging.wholeness import require_whole
from reconciler.ledger.repository.objects import MAX_PARENTS, glance
from reconciler.ledger.verdict import Reason, Signer, Verdict
from reconciler.model.model import Model
from reconciler.model.paths import POLICY_PATH, Place

MAX_DETAIL = 4_000
"""Letters of what is said about a rejection, which may quote what anybody wrote, and is remembered."""


class Judgement(NamedTuple):
    """The state after a transaction, what became of it, and what it touched: all that it changed, and of what
    it didn't change the first `bounds.MAX_REMEMBERED_PATHS`."""

    state: State
    verdict: Verdict
    touched: tuple[Touched, ...]


def judge(
    state: State, transaction: Transaction, provider: Provider, *, ask_authority: bool = True
) -> Judgement:
    """What becomes of a transaction.

    Without `ask_authority` everything but step 5 is judged: for content that nobody has signed yet.
    """
    trial = _Trial(state, transaction, provider, ask_authority)
    model, rejected = state.model, None
    try:
        reason, model = trial.judge()
    except Rejected as why:
        reason, rejected = why.reason, why
    touched = _remembered(trial.touched, reason)
    after = state.after(transaction.commit, reason, touched, model)
    verdict = _verdict(after.books, transaction, touched, reason, rejected, trial.signers)
    return Judgement(after, verdict, touched)


def _remembered(touched: tuple[Touched, ...], reason: Reason) -> tuple[Touched, ...]:
    """All that it changed, and of what it didn't so much as a person would read: whoever can push, signed or
    not, could else fill every node's memory with names."""
    left = count(bounds.MAX_REMEMBERED_PATHS, -1)
    return tuple(item for item in touched if (reason.changes_state and not item.is_repair) or next(left) > 0)


def _verdict(
    books: Books,
    transaction: Transaction,
    touched: tuple[Touched, ...],
    reason: Reason,
    rejected: Rejected | None,
    signers: set[Signer],
) -> Verdict:
    shown = glance(transaction.raw)
    return Verdict(
        commit=transaction.commit,
        position=books.position,
        reason=reason,
        detail="" if rejected is None else rejected.detail[:MAX_DETAIL],
        hint="" if rejected is None else rejected.hint,
        signers=tuple(
            sorted(signers, key=lambda signer: (signer.role, signer.principal, signer.fingerprint))
        ),
        paths=tuple(item.name for item in touched),
        subject=shown.subject,
        author=shown.author,
        date=shown.date,
        state_hash=books.hash,
    )


@dataclass(slots=True)
class _Trial:
    """One transaction before the judge.

    `touched` is what it was found to touch, also where it is rejected; `signers` collects whose signatures
    were looked at and known.
    """

    state: State
    transaction: Transaction
    provider: Provider
    ask_authority: bool
    touched: tuple[Touched, ...] = ()
    signers: set[Signer] = field(default_factory=set)

    def judge(self) -> tuple[Reason, Model]:
        """The reason for acceptance, and the model then in effect. Raises `Rejected`."""
        scope = self._scope()
        if not self.touched:
            return Reason.VOID, self.state.model
        claims = tuple(item for item in self.touched if not item.is_repair)
        if not claims:
            return Reason.REPAIR, self.state.model
        places = self._places(claims)
        self._require_effective_base(claims, scope)
        approved = self._approved(claims, places, scope)
        documents = content.read_documents(claims, self.provider)
        reason = Reason.ACCEPTED if approved is None else approved.reason
        if reason is Reason.RECOVERY:
            content.require_mere_recovery(self.state.model, documents)
        policy_approvals = None if approved is None else approved.keys.get(POLICY_PATH, ())
        content.require_policy_step(self.state.model, documents, policy_approvals)
        content.require_nothing_left_behind(self.state, documents)
        content.require_unused_names(self.state.books.retired, self.state.model, documents)
        after = self.state.model.with_changes(documents)
        content.require_no_violations(self.state.model, after, claims, self.provider)
        return reason, after

    def _scope(self) -> Scope:
        """Step 1."""
        if self.transaction.changes is None:
            raise Rejected(Reason.TOO_MANY_PATHS, _UNLISTABLE)
        self.touched = self.state.books.touched(governed.governed(self.transaction.changes))
        scope = scope_of(self.state, self.transaction, self.provider)
        self.touched = with_adopted(self.state, self.transaction, self.touched, scope.adopted, self.provider)
        require_as_adopted(self.touched, scope.own)
        return scope

    def _approved(
        self, claims: tuple[Touched, ...], places: dict[str, Place], scope: Scope
    ) -> Approved | None:
        """Step 5; None where authority isn't asked for."""
        if not self.ask_authority:
            return None
        provenance = self._provenance(claims, scope)
        approved = approvals(
            self.state, self.transaction, self.provider, claims, places, provenance, self.signers
        )
        if scope.lineage is not None:
            require_whole(self.state, scope.lineage, claims, approved.counted, self.provider)
        return approved

    def _provenance(self, claims: tuple[Touched, ...], scope: Scope) -> Provenance | None:
        if not self.transaction.is_merge:
            return None
        if scope.lineage is None:
            detail = (
                f"the merge brings in more than {bounds.MAX_MERGED_COMMITS} commits, or one with more than "
                f"{MAX_PARENTS} parents"
            )
            raise Rejected(Reason.TOO_MANY_COMMITS, detail)
        return Provenance(self.state, scope.lineage, claims, self.provider)

    def _places(self, claims: tuple[Touched, ...]) -> dict[str, Place]:
        """Step 3: the document that belongs at each path."""
        if len(claims) > bounds.MAX_PATHS:
            raise Rejected(
                Reason.TOO_MANY_PATHS, f"it changes {len(claims)} paths, of {bounds.MAX_PATHS} at most"
            )
        places: dict[str, Place] = {}
        for claim in claims:
            place = governed.place(claim.path)
            if place is None:
                raise Rejected(Reason.UNGOVERNABLE_PATH, f"{claim.name}: no document can lie there")
            if claim.result is not None and not claim.result.is_plain_file:
                what = _MODES.get(claim.result.mode, f"of mode {claim.result.mode}")
                raise Rejected(Reason.WRONG_MODE, f"{claim.name}: it is {what}, not a plain file")
            places[claim.name] = place
        return places

    def _require_effective_base(self, claims: tuple[Touched, ...], scope: Scope) -> None:
        """Step 4: nobody's signature covers, unknowingly, what was refused before."""
        if self.transaction.is_merge:
            return
        for claim in claims:
            if claim.base != claim.effective and claim.path not in scope.own:
                raise Rejected(
                    Reason.BASED_ON_REJECTED,
                    f"{claim.name}: the content before was rejected and isn't in effect",
                )


_UNLISTABLE = (
    f"it changes more than can be listed: over {bounds.MAX_LISTED} files and directories, or one deeper than "
    f"{bounds.MAX_DEPTH} levels, or a path longer than {bounds.MAX_PATH_BYTES} bytes"
)
_MODES = {
    "120000": "a symbolic link",
    "160000": "a submodule",
    "100755": "an executable file",
    "040000": "a directory",
}
