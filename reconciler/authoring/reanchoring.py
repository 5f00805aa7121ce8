"""Re-anchor records as people make, sign and believe them in their own clones (`ledger.reanchor`)."""

from __future__ import annotations

from reconciler.authoring.author import Author
from reconciler.authoring.detached import sign
from reconciler.authoring.errors import AuthoringError, SigningError
from reconciler.authoring.signing_key import SigningKey
from reconciler.ledger.anchor import Reanchored
from reconciler.ledger.checkpoints import reanchor
from reconciler.ledger.checkpoints.reanchor import NAMESPACE, Reanchor, SignedReanchor
from reconciler.ledger.judging.authority import Quorum, root_quorum
from reconciler.ledger.repository.objects import CommitId
from reconciler.ledger.signatures.signed_text import SignedText


def create(author: Author, old: str, new: str, sequence: int | None, key: SigningKey) -> SignedReanchor:
    """The record that leads from `old` (which this clone needn't have) to `new`, with one signature.

    Raises AuthoringError, and `LocalTrouble`s if the new history doesn't lead to the anchor.
    """
    told = author.reanchored
    books = author.judged(author.tree.resolve(new)).books
    record = Reanchor(
        anchor=author.anchor.commit,
        sequence=sequence or (1 if told is None else told.sequence + 1),
        old=CommitId(_known(author, old) or old),
        new=books.commit,
        position=books.position,
        state=books.hash,
    )
    reanchor.parse(SignedText(record.text).encoded)  # Says what is wrong with `old`.
    _require_fork(author, record)
    return _signed(author, SignedReanchor(record, SignedText(record.text)), key)


def add_signature(author: Author, signed: SignedReanchor, key: SigningKey) -> SignedReanchor:
    """The record with one more signature, after judging for oneself that it says the truth."""
    require_true(author, signed.record)
    return _signed(author, signed, key)


def require_true(author: Author, record: Reanchor) -> None:
    """Raises AuthoringError unless this clone comes to the record's state at its new transaction."""
    if record.anchor != author.anchor.commit:
        raise AuthoringError(f"the {record} is of the ledger that begins at {record.anchor[:12]}")
    books = author.judged(author.tree.resolve(record.new)).books
    if (books.position, books.hash) != (record.position, record.state):
        raise AuthoringError(
            f"the {record} says that {record.new[:12]} is transaction {record.position} with the state "
            f"{record.state[:12]}; this clone comes to {books.position} and {books.hash[:12]}",
            "somebody was shown another history, or judges by other rules: find out before you sign",
        )
    _require_fork(author, record)


def root_for(author: Author, record: Reanchor) -> Quorum:
    """Root by the policy at the old transaction; at the new one if this clone doesn't have the old one."""
    known = _known(author, record.old)
    return root_quorum(author.judged(known or author.tree.resolve(record.new)).model)


def believe(author: Author, signed: SignedReanchor) -> Reanchored:
    """What this clone is to remember of the record. Raises AuthoringError or ReanchorRefused.

    Root is who it is by what this clone has at HEAD, on whichever side: a key that was taken away there leads
    nobody to where it still counts.
    """
    told, record = author.reanchored, signed.record
    if told is not None and record.sequence < told.sequence:
        raise AuthoringError(f"the {record} is older than number {told.sequence}, which this clone believes")
    require_true(author, record)
    reanchor.require_root(signed, root_quorum(author.judged("HEAD").model))
    return Reanchored(record.sequence, record.old, record.new)


def _require_fork(author: Author, record: Reanchor) -> None:
    old = _known(author, record.old)
    if old is not None and author.judged(old).store.is_ancestor(record.new, old):
        raise AuthoringError(
            f"{record.new[:12]} is behind {record.old[:12]}: there is no fork between them to leave",
            "the branch can go on from the old one as it is",
        )


def _known(author: Author, revision: str) -> CommitId | None:
    store = author.judged(author.anchor.commit).store
    return store.resolve(revision)


def _signed(author: Author, signed: SignedReanchor, key: SigningKey) -> SignedReanchor:
    root = root_for(author, signed.record)
    before = reanchor.signers(signed, root)
    text = signed.signed.signed_also(sign(signed.record.text, NAMESPACE, key))
    made = SignedReanchor(signed.record, text)
    if len(reanchor.signers(made, root)) == len(before):
        raise SigningError(
            "this key is no root's there, or of one who has signed already", "choose another: --key FILE"
        )
    return made
