"""Writes a receipt: gathers from a clone what `receipt_check` will ask for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from reconciler.ledger.chain.chronicle import Record
from reconciler.ledger.checkpoints import checkpoint
from reconciler.ledger.checkpoints.checkpoint import CheckpointUnsigned, Kind, SignedCheckpoint
from reconciler.ledger.checkpoints.witness import quorum_by
from reconciler.ledger.judging import merkle
from reconciler.ledger.judging.authority import Quorum, quorum_for, quorum_of
from reconciler.ledger.judging.books import Touched
from reconciler.ledger.judging.merkle import Frontier
from reconciler.ledger.replay import Replay
from reconciler.ledger.repository import descent
from reconciler.ledger.repository.objects import CommitId, ObjectId, tree_of
from reconciler.ledger.signatures import sshsig
from reconciler.ledger.verdict import Verdict
from reconciler.model.documents import Policy
from reconciler.model.loader import load
from reconciler.model.paths import POLICY_PATH, place_of
from reconciler.records.approvers import Before, approving_commits
from reconciler.records.receipt import (
    FORMAT,
    Change,
    Leaf,
    Owner,
    Proven,
    Receipt,
    ReceiptRefused,
    Statement,
    to_base64,
)
from reconciler.records.receipt_check import KINDS, owner_path
from reconciler.records.receipt_objects import pack_objects


class NothingToReceipt(ReceiptRefused):
    """The transaction bought nothing: there is nothing of which a receipt could be written."""


class NoCheckpoint(ReceiptRefused):
    """Nothing that is signed covers the transaction, so nobody could believe the receipt."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Of which transaction, and of which of its documents (None: all of which there are receipts)."""

    verdict: Verdict
    paths: Collection[str] | None


@dataclass(slots=True)
class _Past:
    """What the history has of interest: the transaction, what last set each owner before it, and every
    policy after the anchor's."""

    transaction: Record | None = None
    owners: dict[str, Record] = field(default_factory=dict)
    policies: list[tuple[Record, Touched]] = field(default_factory=list)


class ReceiptWriter:
    """Writes one receipt after the other; `judged` is the ledger as far as it is known here."""

    def __init__(self, judged: Replay, anchor: CommitId, before: Before) -> None:
        self._judged = judged
        self._anchor = anchor
        self._before = before
        self._objects: list[tuple[str, bytes]] = []

    def write(self, wanted: Wanted, checkpoints: Iterable[SignedCheckpoint]) -> Receipt:
        """Raises `ReceiptRefused` where there is nothing to prove, or nothing to prove it by."""
        self._objects.clear()
        past = self._past(wanted.verdict)
        items = self._items(wanted, past)
        policies = self._policies(past)
        signed, count = self._covering(wanted.verdict, checkpoints, policies)
        size = signed.checkpoint.place.position + 1
        assert past.transaction is not None
        self._carry_commit(wanted.verdict.commit)
        self._carry_document(self._anchor, POLICY_PATH)
        steps = tuple(self._policy_step(*past.policies[n], policies[n : n + 2]) for n in range(count))
        proven = tuple(self._proven(wanted.verdict, item) for item in items)
        owners = sorted({_owner_of(item) for item in items})
        return Receipt(
            format=FORMAT,
            anchor=self._anchor,
            policies=steps,
            checkpoint=_statement(signed, policies[count]),
            transaction=self._leaf(past.transaction, size),
            documents=proven,
            owners=tuple(self._owner(path, past.owners[path], size) for path in owners),
            objects=pack_objects(self._objects),
        )

    # --- looking up --------------------------------------------------------------------------------

    def _past(self, verdict: Verdict) -> _Past:
        past = _Past()
        for record in self._judged.records():
            if not record.verdict.changes_state:
                continue
            for item in (each for each in record.touched if not each.is_repair):
                if item.name == POLICY_PATH and record.verdict.position:
                    past.policies.append((record, item))
                if record.verdict.position < verdict.position:
                    past.owners[item.name] = record
            if record.verdict.position == verdict.position:
                past.transaction = record
        return past

    def _items(self, wanted: Wanted, past: _Past) -> list[Touched]:
        """The documents of which the receipt is."""
        verdict, record = wanted.verdict, past.transaction
        if record is None:
            why = f"{verdict.code}: {verdict.detail}" if verdict.detail else verdict.code
            raise NothingToReceipt(f"{verdict.commit[:12]} changed nothing in effect ({why})", verdict.advice)
        found = [item for item in record.touched if not item.is_repair and _is_of_kind(item.name)]
        if wanted.paths is not None:
            missing = sorted(set(wanted.paths) - {item.name for item in found})
            if missing:
                raise NothingToReceipt(f"{verdict.commit[:12]} bought or granted nothing at {missing[0]}")
            found = [item for item in found if item.name in wanted.paths]
        if not found or verdict.position == 0:
            raise NothingToReceipt(
                f"{verdict.commit[:12]} bought or granted nothing",
                "there are receipts of networks, grants and nodes; what the anchor holds is proven by itself",
            )
        return found

    def _policies(self, past: _Past) -> list[Policy]:
        """All that were ever in effect."""
        names = [self._policy_in_anchor(), *(_result(item) for _, item in past.policies)]
        documents = (load(POLICY_PATH, data) for data in self._judged.contents(names))
        return [document for document in documents if isinstance(document, Policy)]

    def _policy_in_anchor(self) -> ObjectId:
        path = POLICY_PATH.encode("ascii")
        return self._judged.store.files_at([self._anchor], [path])[self._anchor][path].id

    def _covering(
        self, verdict: Verdict, checkpoints: Iterable[SignedCheckpoint], policies: Sequence[Policy]
    ) -> tuple[SignedCheckpoint, int]:
        """A checkpoint that stands for the transaction, and by which policy it is signed (0: the first)."""
        seen: list[str] = []
        for signed in checkpoints:
            found = signed.checkpoint
            if found.place.position < verdict.position:
                seen.append(f"the {found} covers positions up to {found.place.position}")
            elif not self._agrees(signed):
                seen.append(f"the {found} is of another history than this clone's")
            else:
                by = next((n for n, policy in enumerate(policies) if _is_signed(signed, policy)), None)
                if by is not None:
                    return signed, by
                seen.append(f"the {found} isn't signed by those who may")
        raise NoCheckpoint(
            f"no checkpoint stands for position {verdict.position}: "
            + ("; ".join(seen) or "there is none here"),
            "fetch the newest: git fetch origin tnet-checkpoints; or have one made: a witness by "
            "`tnet checkpoint witness`, root by `tnet checkpoint snapshot`",
        )

    def _agrees(self, signed: SignedCheckpoint) -> bool:
        place, verdicts = signed.checkpoint.place, self._judged.verdicts
        if place.position >= len(verdicts) or signed.checkpoint.anchor != self._anchor:
            return False
        log = Frontier()
        for leaf in self._judged.leaves[: place.position + 1]:
            log = log.append(leaf)
        at = verdicts[place.position]
        return (place.commit, place.state, place.log) == (at.commit, at.state_hash, log.root.hex())

    # --- parts -------------------------------------------------------------------------------------

    def _leaf(self, record: Record, size: int) -> Leaf:
        position = record.verdict.position
        proof = merkle.inclusion_proof(self._judged.leaves[:size], position)
        changed = (item for item in record.touched if not item.is_repair)
        return Leaf(
            position=position,
            commit=record.verdict.commit,
            code=record.verdict.code,
            changes=tuple(
                Change(item.name, None if item.result is None else item.result.id) for item in changed
            ),
            proof=tuple(each.hex() for each in proof),
        )

    def _policy_step(self, record: Record, item: Touched, policies: Sequence[Policy]) -> tuple[CommitId, ...]:
        quorums = [quorum_of(policy) for policy in policies]
        return self._approvals(record.verdict, item, quorums)

    def _proven(self, verdict: Verdict, item: Touched) -> Proven:
        place = place_of(item.name)
        assert place is not None
        model = self._before(verdict.commit).model
        quorum = quorum_for(model, item.name, place, True, item.result is not None)
        return Proven(item.name, self._approvals(verdict, item, [quorum]))

    def _approvals(self, verdict: Verdict, item: Touched, quorums: Sequence[Quorum]) -> tuple[CommitId, ...]:
        before = self._before(verdict.commit)
        commits = approving_commits(before, verdict.commit, item, quorums)
        for commit in commits:
            self._carry_document(commit, item.name)
        return commits

    def _owner(self, path: str, record: Record, size: int) -> Owner:
        if record.verdict.position == 0:
            self._carry_document(self._anchor, path)
            return Owner(path, None)
        item = next(each for each in record.touched if each.name == path)
        self._carry_blob(_result(item))
        return Owner(path, self._leaf(record, size))

    # --- what is carried ---------------------------------------------------------------------------

    def _carry_commit(self, commit: CommitId) -> bytes:
        raw = self._judged.store.commits([commit])[0]
        self._objects.append(("commit", raw))
        return raw

    def _carry_blob(self, name: ObjectId) -> None:
        self._objects.append(("blob", self._judged.contents([name])[0]))

    def _carry_document(self, commit: CommitId, path: str) -> None:
        """The commit, the trees on the way to the path, and what is there; as far as the way goes."""
        tree: ObjectId | None = tree_of(self._carry_commit(commit))
        *directories, name = path.encode("ascii").split(b"/")
        for directory in (*directories, None):
            if tree is None:
                return
            raw = bytes(self._judged.store.raw_tree(tree))
            self._objects.append(("tree", raw))
            found = list(descent.entries(raw))
            if directory is None:
                self._carry_file(found, name)
            tree = next((each.entry.id for each in found if _is_directory(each, directory)), None)

    def _carry_file(self, entries: Iterable[descent.Named], name: bytes) -> None:
        for each in entries:
            if each.name == name and each.entry.is_plain_file:
                self._carry_blob(each.entry.id)


def _is_directory(named: descent.Named, name: bytes | None) -> bool:
    return named.name == name and named.entry.mode == descent.DIRECTORY


def _is_of_kind(path: str) -> bool:
    place = place_of(path)
    return place is not None and place.kind in KINDS


def _owner_of(item: Touched) -> str:
    place = place_of(item.name)
    assert place is not None
    return owner_path(place)


def _result(item: Touched) -> ObjectId:
    assert item.result is not None, "a policy, a farm, a tenant that is in effect"
    return item.result.id


def _quorum(signed: SignedCheckpoint, policy: Policy) -> Quorum | None:
    return quorum_by(policy) if signed.checkpoint.kind is Kind.WITNESS else quorum_of(policy)


def _is_signed(signed: SignedCheckpoint, policy: Policy) -> bool:
    quorum = _quorum(signed, policy)
    try:
        return quorum is not None and bool(checkpoint.verify(signed, quorum))
    except CheckpointUnsigned:
        return False


def _statement(signed: SignedCheckpoint, policy: Policy) -> Statement:
    """With one signature of each who may: others prove nothing."""
    quorum, text = _quorum(signed, policy), signed.signed
    assert quorum is not None, "it is signed by those whom this policy names"
    found: dict[str, bytes] = {}
    for key, armored in zip(text.keys(checkpoint.NAMESPACE), text.signatures, strict=True):
        for name in quorum.approving([key]):
            found.setdefault(name, sshsig.dearmor(armored))
    return Statement(text.text.decode("ascii"), tuple(sorted(map(to_base64, found.values()))))
