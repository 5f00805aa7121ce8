"""Checks a receipt against the anchor, and needs nothing else: no ledger, no network, no clock.

The steps are those of docs/spec/receipts.md, section 3, in its order:

 1. The anchor's commit is in it, and its policy; with root keys pinned, these are that policy's.
 2. Each later policy has the next version, and enough of root by the one before and by itself have signed
    commits that hold it.
 3. The checkpoint is of this anchor, and signed by the quorum of the last of these policies.
 4. The transaction is in the log that the checkpoint vouches for, and was accepted.
 5. Each document was put in effect (or removed) by it; who could approve that is said by a document that an
    earlier transaction, or the anchor, had put in effect.
 6. Enough of those have signed commits that hold the document as it is.
 7. Nothing is carried that isn't needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reconciler.ledger.checkpoints import checkpoint
from reconciler.ledger.checkpoints.checkpoint import Checkpoint, CheckpointRefused, Kind
from reconciler.ledger.checkpoints.witness import quorum_by
from reconciler.ledger.judging import merkle
from reconciler.ledger.judging.authority import Quorum, quorum_for, quorum_of
from reconciler.ledger.judging.books import encode_leaf
from reconciler.ledger.judging.merkle import ProofRefused
from reconciler.ledger.judging.rejected import Rejected
from reconciler.ledger.judging.signing import key_that_signed
from reconciler.ledger.repository.objects import CommitId, Glance, ObjectId, glance
from reconciler.ledger.signatures import keys, sshsig
from reconciler.ledger.signatures.keys import PublicKey
from reconciler.ledger.signatures.signed_text import SignedText
from reconciler.ledger.signatures.sshsig import SignatureRefused
from reconciler.ledger.verdict import Reason, Signer
from reconciler.model.documents import Document, Grant, Network, Node, Policy
from reconciler.model.loader import load
from reconciler.model.model import Model
from reconciler.model.paths import POLICY_PATH, Place, farm_path, place_of, tenant_path
from reconciler.model.problems import DocumentError
from reconciler.records.receipt import Leaf, Owner, Proven, Receipt, ReceiptRefused, from_base64
from reconciler.records.receipt_objects import CarriedObjects

KINDS = (Network, Grant, Node)
"""Of which documents there are receipts: what tenants buy, and what farmers grant and run."""


@dataclass(frozen=True, slots=True)
class ProvenDocument:
    """A document that the transaction put in effect (`data`; None: removed), and who approved that."""

    path: str
    data: bytes | None
    signers: tuple[Signer, ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """What a receipt proves. `shown` is what the transaction's commit claims of itself: nothing of that."""

    position: int
    commit: CommitId
    code: str
    shown: Glance
    documents: tuple[ProvenDocument, ...]
    checkpoint: Checkpoint
    vouching: tuple[Signer, ...]
    policy_version: int
    root_fingerprints: frozenset[str]


def check(receipt: Receipt, anchor: str, root_fingerprints: Iterable[str] = ()) -> Findings:
    """What the receipt proves to whoever trusts this anchor. Raises `ReceiptRefused`."""
    return _Check(receipt, CarriedObjects.of(receipt.objects)).findings(anchor, frozenset(root_fingerprints))


@dataclass(slots=True)
class _Check:
    receipt: Receipt
    objects: CarriedObjects

    def findings(self, anchor: str, pinned: frozenset[str]) -> Findings:
        policies = self._policies(anchor, pinned)
        found, vouching = self._checkpoint(policies[-1])
        leaf = self.receipt.transaction
        self._require_in_log(leaf, found)
        documents = self._documents(found)
        shown = glance(self.objects.raw_commit(leaf.commit))
        self.objects.require_all_used()
        return Findings(
            position=leaf.position,
            commit=CommitId(leaf.commit),
            code=leaf.code,
            shown=shown,
            documents=documents,
            checkpoint=found,
            vouching=vouching,
            policy_version=policies[-1].spec.version,
            root_fingerprints=_root_keys(policies[0]),
        )

    # --- 1 and 2 -----------------------------------------------------------------------------------

    def _policies(self, anchor: str, pinned: frozenset[str]) -> list[Policy]:
        if self.receipt.anchor != anchor:
            raise ReceiptRefused(
                f"the receipt is of the ledger that begins at {self.receipt.anchor}, not at {anchor}",
                "compare the anchor with its trusted source",
            )
        policies = [self._policy(anchor)]
        if pinned and _root_keys(policies[0]) != pinned:
            raise ReceiptRefused("the root keys in the anchor's policy are not those that are pinned")
        for commits in self.receipt.policies:
            policies.append(self._next_policy(policies[-1], commits))
        return policies

    def _policy(self, commit: str) -> Policy:
        entry = self.objects.file_at(commit, POLICY_PATH)
        if entry is None or not entry.is_plain_file:
            raise ReceiptRefused(f"the commit {commit} has no {POLICY_PATH}")
        document = _load(POLICY_PATH, self.objects.document(entry.id))
        assert isinstance(document, Policy)
        return document

    def _next_policy(self, before: Policy, commits: Sequence[str]) -> Policy:
        found = [self._policy(commit) for commit in commits]
        policy = found[0]
        if any(each != policy for each in found):
            raise ReceiptRefused("the commits that bring one version of the policy hold different ones")
        if policy.spec.version != before.spec.version + 1:
            raise ReceiptRefused(
                f"after version {before.spec.version} of the policy comes version {policy.spec.version}"
            )
        signed = self._keys(commits)
        for root in (quorum_of(before), quorum_of(policy)):
            _require_enough(root, signed, f"version {policy.spec.version} of the policy")
        _require_each_needed((quorum_of(before), quorum_of(policy)), signed, POLICY_PATH)
        return policy

    def _keys(self, commits: Sequence[str]) -> list[PublicKey]:
        _require_sorted(commits, "commits that approve")
        return [self._key(commit) for commit in commits]

    def _key(self, commit: str) -> PublicKey:
        try:
            return key_that_signed(self.objects.raw_commit(commit))
        except Rejected as rejected:
            raise ReceiptRefused(f"the commit {commit}: {rejected.detail}") from None

    # --- 3 and 4 -----------------------------------------------------------------------------------

    def _checkpoint(self, policy: Policy) -> tuple[Checkpoint, tuple[Signer, ...]]:
        found = self._statement()
        if found.anchor != self.receipt.anchor:
            raise ReceiptRefused(f"the {found} is of another ledger")
        quorum = quorum_by(policy) if found.kind is Kind.WITNESS else quorum_of(policy)
        if quorum is None:
            raise ReceiptRefused(f"the checkpoint is a {found}, and the policy names nobody who may witness")
        _require_sorted(self.receipt.checkpoint.signatures, "signatures of the checkpoint")
        signed = [self._vouching(found, each) for each in self.receipt.checkpoint.signatures]
        _require_enough(quorum, signed, str(found))
        _require_each_needed((quorum,), signed, str(found))
        names = quorum.approving(signed)
        return found, tuple(names[each] for each in sorted(names))

    def _statement(self) -> Checkpoint:
        text = SignedText(self.receipt.checkpoint.text.encode("utf-8"))
        try:
            return checkpoint.parse(text.encoded).checkpoint
        except CheckpointRefused as refused:
            raise ReceiptRefused(f"the checkpoint is refused: {refused}") from None

    def _vouching(self, found: Checkpoint, signature: str) -> PublicKey:
        try:
            return sshsig.verify_blob(from_base64(signature), found.text, checkpoint.NAMESPACE)
        except SignatureRefused as refused:
            raise ReceiptRefused(f"a signature of the {found} is refused: {refused}") from None

    def _require_in_log(self, leaf: Leaf, found: Checkpoint) -> None:
        place = found.place
        if not 0 < leaf.position <= place.position:
            raise ReceiptRefused(
                f"the {found} vouches for positions up to {place.position}, not for {leaf.position}"
            )
        if not _counts(leaf.code):
            raise ReceiptRefused(f"the transaction {leaf.commit} changed nothing: it is `{leaf.code}`")
        proof = [bytes.fromhex(each) for each in leaf.proof]
        try:
            root = merkle.root_from_proof(_leaf_hash(leaf), leaf.position, place.position + 1, proof)
        except ProofRefused as refused:
            raise ReceiptRefused(f"the transaction {leaf.commit} isn't proven: {refused}") from None
        if root.hex() != place.log:
            raise ReceiptRefused(
                f"the transaction {leaf.commit} isn't in the log that the {found} stands for"
            )

    # --- 5 and 6 -----------------------------------------------------------------------------------

    def _documents(self, found: Checkpoint) -> tuple[ProvenDocument, ...]:
        paths = [each.path for each in self.receipt.documents]
        owners = [each.path for each in self.receipt.owners]
        _require_sorted(paths, "documents")
        if owners != sorted({owner_path(_place(path)) for path in paths}):
            raise ReceiptRefused("the owners in the receipt aren't those of its documents, sorted, each once")
        named = {each.path: self._owner(each, found) for each in self.receipt.owners}
        return tuple(self._document(each, named) for each in self.receipt.documents)

    def _owner(self, owner: Owner, found: Checkpoint) -> Document:
        """The document by whose word the transaction was approved."""
        if owner.leaf is None:
            entry = self.objects.file_at(self.receipt.anchor, owner.path)
            name = None if entry is None or not entry.is_plain_file else entry.id
        else:
            self._require_in_log(owner.leaf, found)
            if owner.leaf.position >= self.receipt.transaction.position:
                raise ReceiptRefused(f"{owner.path} came into effect only after the transaction")
            name = _object_at(owner.leaf, owner.path)
        if name is None:
            raise ReceiptRefused(f"{owner.path} isn't in effect where the receipt says it is")
        return _load(owner.path, self.objects.document(name))

    def _document(self, proven: Proven, owners: dict[str, Document]) -> ProvenDocument:
        name, place = _object_at(self.receipt.transaction, proven.path), _place(proven.path)
        data = None if name is None else self.objects.document(name)
        if data is not None:
            _load(proven.path, data)
        signed = self._keys(proven.approved_by)
        for commit in proven.approved_by:
            self._require_holds(commit, proven.path, name)
        owner = owner_path(place)
        quorum = quorum_for(Model.of({owner: owners[owner]}), proven.path, place, True, name is not None)
        self._require_standing(quorum, proven)
        _require_enough(quorum, signed, proven.path)
        _require_each_needed((quorum,), signed, proven.path)
        found = quorum.approving(signed)
        return ProvenDocument(proven.path, data, tuple(found[each] for each in sorted(found)))

    def _require_standing(self, quorum: Quorum, proven: Proven) -> None:
        for commit in proven.approved_by:
            names = (commit, self.objects.commit(commit).unsigned_id)
            if not quorum.withdrawn.isdisjoint(names):
                raise ReceiptRefused(f"{proven.path}: the approval by {commit} has been taken back")

    def _require_holds(self, commit: str, path: str, name: ObjectId | None) -> None:
        entry = self.objects.file_at(commit, path)
        if (entry is None) != (name is None) or (entry and (entry.id != name or not entry.is_plain_file)):
            raise ReceiptRefused(f"the commit {commit} holds something else at {path}")


# --- the parts ---------------------------------------------------------------------------------------


def _counts(code: str) -> bool:
    return code in {reason.value for reason in Reason if reason.changes_state}


def _leaf_hash(leaf: Leaf) -> bytes:
    _require_sorted([change.path for change in leaf.changes], "changes")
    changes = [
        (change.path.encode("ascii"), None if change.object is None else ObjectId(change.object))
        for change in leaf.changes
    ]
    data = encode_leaf(leaf.position, CommitId(leaf.commit), Reason(leaf.code), changes)
    return merkle.leaf_hash(data)


def _object_at(leaf: Leaf, path: str) -> ObjectId | None:
    for change in leaf.changes:
        if change.path == path:
            return None if change.object is None else ObjectId(change.object)
    raise ReceiptRefused(f"the transaction {leaf.commit} didn't touch {path}")


def _place(path: str) -> Place:
    place = place_of(path)
    if place is None or place.kind not in KINDS:
        raise ReceiptRefused(f"{path}: there are receipts for networks, grants and nodes only")
    return place


def owner_path(place: Place) -> str:
    return farm_path(place.farm) if place.farm else tenant_path(place.tenant)


def _load(path: str, data: bytes) -> Document:
    try:
        return load(path, data)
    except DocumentError as error:
        raise ReceiptRefused(f"the document {path} can't be read: {error}") from None


def _root_keys(policy: Policy) -> frozenset[str]:
    principals = policy.spec.root.principals
    return frozenset(keys.from_text(text).fingerprint for each in principals for text in each.keys)


def _require_sorted(items: Sequence[str], what: str) -> None:
    if list(items) != sorted(set(items)):
        raise ReceiptRefused(f"the {what} in the receipt aren't sorted, each once")


def _require_enough(quorum: Quorum, signed: Sequence[PublicKey], what: str) -> None:
    found = quorum.approving(signed)
    if len(found) < quorum.signers.threshold:
        who = ", ".join(sorted(found)) or "nobody"
        raise ReceiptRefused(f"{what}: it takes {quorum.signers.threshold} of {quorum}, and {who} has signed")


def _require_each_needed(quorums: Sequence[Quorum], signed: Sequence[PublicKey], what: str) -> None:
    """Each signature is by somebody who may, and nobody's stands twice: so nothing can be slipped in."""
    principals = [tuple(quorum.approving([key]) for quorum in quorums) for key in signed]
    if any(not any(each) for each in principals):
        raise ReceiptRefused(f"{what}: a commit is signed by somebody who has no say in it")
    names = [tuple(tuple(each) for each in found) for found in principals]
    if len(set(names)) != len(names):
        raise ReceiptRefused(f"{what}: somebody's signature stands there twice")
