"""The judgement of one transaction: a pure function of the state before it and of what the repository holds.

The order of the steps is that of docs/spec/ledger.md, "Judging a transaction", and the first that fails gives
the verdict:

 1. What it touches: governed paths that differ from the first parent. None: void.
 2. Repairs: paths brought back to what is in effect need nothing. Only such: repair.
 3. Bounds, the form of paths and modes.
 4. The base of each path is what is in effect, not something that was refused.
 5. Authority: enough principals, named by the state before, have signed each change.
 6. The documents: readable, of the right kind, right by themselves.
 7. A recovery is no more than that; the policy's own steps; a tenant leaves no networks behind, and its name
    is not used again.
 8. No document newly breaks a rule beside the others.

Nothing here reads a clock, a file or an environment. A `LocalTrouble` of the provider goes through: it is no
verdict.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from reconciler.ledger import bounds, content, governed
from reconciler.ledger.approval import Approved, approvals
from reconciler.ledger.books import Books, Touched
from reconciler.ledger.objects import glance
from reconciler.ledger.provider import Provider, Transaction
from reconciler.ledger.rejected import Rejected
from reconciler.ledger.state import State
from reconciler.ledger.verdict import Reason, Signer, Verdict
from reconciler.model.model import Model
from reconciler.model.paths import POLICY_PATH, Place


def judge(
    state: State, transaction: Transaction, provider: Provider, *, ask_authority: bool = True
) -> tuple[State, Verdict]:
    """The state after the transaction, and what became of it.

    Without `ask_authority` everything but step 5 is judged: for content that nobody has signed yet.
    """
    touched = state.books.touched(governed.governed(transaction.changes))
    trial = _Trial(state, transaction, provider, ask_authority)
    model, rejected = state.model, None
    try:
        reason, model = trial.judge(touched)
    except Rejected as why:
        reason, rejected = why.reason, why
    after = state.after(transaction.commit, reason, touched, model)
    return after, _verdict(after.books, transaction, touched, reason, rejected, trial.signers)


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
        detail="" if rejected is None else rejected.detail,
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
    """One transaction before the judge. `signers` collects whose signatures were looked at and known."""

    state: State
    transaction: Transaction
    provider: Provider
    ask_authority: bool
    signers: set[Signer] = field(default_factory=set)

    def judge(self, touched: tuple[Touched, ...]) -> tuple[Reason, Model]:
        """The reason for acceptance, and the model then in effect. Raises `Rejected`."""
        if not touched:
            return Reason.VOID, self.state.model
        claims = tuple(item for item in touched if not item.is_repair)
        if not claims:
            return Reason.REPAIR, self.state.model
        places = self._places(claims)
        self._require_effective_base(claims)
        approved = self._approved(claims, places)
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

    def _approved(self, claims: tuple[Touched, ...], places: dict[str, Place]) -> Approved | None:
        """Step 5; None where authority isn't asked for."""
        if not self.ask_authority:
            return None
        return approvals(self.state, self.transaction, self.provider, claims, places, self.signers)

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

    def _require_effective_base(self, claims: tuple[Touched, ...]) -> None:
        """Step 4: nobody's signature covers, unknowingly, what was refused before."""
        for claim in claims:
            if claim.base != claim.effective:
                raise Rejected(
                    Reason.BASED_ON_REJECTED,
                    f"{claim.name}: the content before was rejected and isn't in effect",
                )


_MODES = {
    "120000": "a symbolic link",
    "160000": "a submodule",
    "100755": "an executable file",
    "040000": "a directory",
}
