"""What becomes of a transaction, and why: codes for machines, a sentence and an advice for people.

See docs/spec/ledger.md, section 11.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from reconciler.ledger.repository.objects import CommitId


class Reason(Enum):
    """Why a transaction counts or doesn't. The value is the code that goes into the state's hash."""

    # Accepted.
    ANCHOR = "anchor"
    SNAPSHOT = "snapshot"
    ACCEPTED = "accepted"
    RECOVERY = "recovery"
    REPAIR = "repair"
    VOID = "void"
    # The commit itself.
    TOO_MANY_PATHS = "too-many-paths"
    UNGOVERNABLE_PATH = "ungovernable-path"
    WRONG_MODE = "wrong-mode"
    BASED_ON_REJECTED = "based-on-rejected"
    MALFORMED_ADOPT = "malformed-adopt"
    ADOPT_MISMATCH = "adopt-mismatch"
    MALFORMED_COMMIT = "malformed-commit"
    # Who signed.
    UNSIGNED = "unsigned"
    UNSUPPORTED_SIGNATURE = "unsupported-signature"
    BAD_SIGNATURE = "bad-signature"
    UNKNOWN_KEY = "unknown-key"
    NO_RULE = "no-rule"
    NOT_AUTHORIZED = "not-authorized"
    THRESHOLD = "threshold"
    WITHDRAWN = "withdrawn"
    RECOVERY_EXCEEDED = "recovery-exceeded"
    # Merges.
    TOO_MANY_COMMITS = "too-many-commits"
    NO_AUTHOR = "no-author"
    SEVERAL_AUTHORS = "several-authors"
    NOT_AS_AUTHORED = "not-as-authored"
    STALE_BASE = "stale-base"
    INCOMPLETE_MERGE = "incomplete-merge"
    # What the documents say.
    INVALID_DOCUMENT = "invalid-document"
    TOO_LARGE = "too-large"
    POLICY_REMOVED = "policy-removed"
    POLICY_VERSION = "policy-version"
    PROOF_MISSING = "proof-missing"
    PROOF_INVALID = "proof-invalid"
    TENANT_HAS_NETWORKS = "tenant-has-networks"
    NAME_RETIRED = "name-retired"
    VIOLATION = "violation"

    @property
    def accepted(self) -> bool:
        return self in _ACCEPTED

    @property
    def changes_state(self) -> bool:
        """Whether the transaction's claims came into effect."""
        return self in (Reason.ACCEPTED, Reason.RECOVERY)

    @property
    def advice(self) -> str:
        """What to do about it; empty for what is accepted."""
        return ADVICE.get(self, "")


_ACCEPTED = frozenset(
    {Reason.ANCHOR, Reason.SNAPSHOT, Reason.ACCEPTED, Reason.RECOVERY, Reason.REPAIR, Reason.VOID}
)

_RESIGN = "rebase onto the ledger's branch and sign again"
ADVICE: dict[Reason, str] = {
    Reason.TOO_MANY_PATHS: "split it into several commits",
    Reason.UNGOVERNABLE_PATH: "only the seven kinds of document may lie under trust/, farms/ and tenants/: "
    "move the file elsewhere or correct its path, then commit again",
    Reason.WRONG_MODE: "documents are plain files: no symbolic link, submodule or executable bit",
    Reason.BASED_ON_REJECTED: "an earlier change of this path was rejected: `tnet repair PATH` gives it its "
    "effective content again, then make the change anew; or take it over as it stands: `tnet adopt PATH`",
    Reason.MALFORMED_ADOPT: "`tnet adopt` writes the line; to speak of one in a message, indent it",
    Reason.ADOPT_MISMATCH: "what is in effect, or what the commit holds, has changed since: "
    "run `tnet adopt` anew",
    Reason.MALFORMED_COMMIT: "make the commit with plain git: no `encoding`, unknown or repeated headers, "
    "no control characters",
    Reason.UNSIGNED: "sign it with your SSH key: `tnet key setup` makes git do so; what lies on the branch "
    "already is taken over by `tnet adopt COMMIT`",
    Reason.UNSUPPORTED_SIGNATURE: "sign with an SSH key: ed25519, ecdsa, rsa of 2048 bits and more, or "
    "a security key (`tnet key setup` makes git do so; `tnet key new` makes a key)",
    Reason.BAD_SIGNATURE: "the commit was changed after it was signed: sign it again",
    Reason.UNKNOWN_KEY: "sign with a key that the ledger names for this path (`tnet key list` shows yours), "
    "or have the key added first, in a commit of its own",
    Reason.NO_RULE: "the farm or tenant has to exist before: create it first, in a commit of its own",
    Reason.NOT_AUTHORIZED: "ask somebody whom the path's owner names to sign it",
    Reason.THRESHOLD: "more people have to approve: put the commit on a branch and let another of them "
    "merge it with a signed merge (`git merge --no-ff -S`)",
    Reason.WITHDRAWN: "who gave this approval has taken it back: ask for a new commit, signed anew",
    Reason.RECOVERY_EXCEEDED: "root may give a locked-out tenant new keys and nothing else, alone in a "
    "commit (`tnet tenant recover`); it suspends a tenant with `tnet tenant suspend`",
    Reason.TOO_MANY_COMMITS: "squash the branch into fewer commits and sign again",
    Reason.NO_AUTHOR: "the merge sets a path to what none of its commits made of it: " + _RESIGN,
    Reason.SEVERAL_AUTHORS: "two lines of the branch changed this path: " + _RESIGN,
    Reason.NOT_AS_AUTHORED: "the merge holds other content than was signed: " + _RESIGN,
    Reason.STALE_BASE: "what is in effect isn't all that the change was made from: " + _RESIGN,
    Reason.INCOMPLETE_MERGE: "what was signed as one commit is merged as one: merge all of it, or have the "
    "rest taken back on the branch by who signed it",
    Reason.TOO_LARGE: "split it into several commits",
    Reason.INVALID_DOCUMENT: "correct the document (`tnet check` shows line and column) and commit again",
    Reason.POLICY_REMOVED: "the policy can be changed, never removed",
    Reason.POLICY_VERSION: "raise spec.version by one; to go back to earlier content, not `git revert` but "
    "`tnet rollback COMMIT`: it writes it under the next version",
    Reason.PROOF_MISSING: "each of the tenant's keys has to sign a proof: `tnet tenant add` makes it",
    Reason.PROOF_INVALID: "the proof has to be made by that key for this tenant's name: make it again",
    Reason.TENANT_HAS_NETWORKS: "delete the tenant's networks first, or in the same commit",
    Reason.NAME_RETIRED: "names of tenants are never used again: choose another",
    Reason.VIOLATION: "correct what the message names and commit again",
}


@dataclass(frozen=True, slots=True)
class Signer:
    """Whose signature counted: `role` is `root`, `farm <name>` or `tenant <name>`."""

    role: str
    principal: str
    fingerprint: str

    def __str__(self) -> str:
        return f"{self.principal} ({self.role})"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one transaction. `date` is what the committer claims, for display only.

    `hint` is an advice for just this case, in place of the reason's.
    """

    commit: CommitId
    position: int
    reason: Reason
    detail: str
    signers: tuple[Signer, ...]
    paths: tuple[str, ...]
    subject: str
    author: str
    date: int
    state_hash: str
    hint: str = ""

    @property
    def accepted(self) -> bool:
        return self.reason.accepted

    @property
    def changes_state(self) -> bool:
        return self.reason.changes_state or self.reason in (Reason.ANCHOR, Reason.SNAPSHOT)

    @property
    def code(self) -> str:
        return self.reason.value

    @property
    def advice(self) -> str:
        return self.hint or self.reason.advice
