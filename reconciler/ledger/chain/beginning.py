"""The state at the anchor: what is pinned is believed, as far as it is what the pins say.

See docs/spec/ledger.md, section 6.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.ledger import bounds, governed
from reconciler.ledger.anchor import Anchor
from reconciler.ledger.chain import ahead
from reconciler.ledger.judging import content
from reconciler.ledger.judging.authority import Quorum, root_quorum
from reconciler.ledger.judging.books import Books, opened
from reconciler.ledger.judging.rejected import Rejected
from reconciler.ledger.repository.objects import Change, Entry, ObjectId, glance, printable
from reconciler.ledger.repository.store import Store
from reconciler.ledger.signatures import keys
from reconciler.ledger.trouble import AnchorRefused
from reconciler.ledger.verdict import Reason, Verdict
from reconciler.model.documents import Document, Policy
from reconciler.model.model import Model
from reconciler.model.paths import POLICY_PATH

MAX_ENTRIES = 10_000_000
"""Files and directories that an anchor may have."""
_ADVICE = "compare the anchor and the root keys' fingerprints in the configuration with their trusted source"


def open_books(store: Store, anchor: Anchor) -> Books:
    """The books at the anchor. Raises `AnchorRefused`."""
    entries: dict[bytes, ObjectId] = {}
    for change in _files(store, anchor):
        assert change.new is not None
        entries[change.path] = _document_at(change.path, change.new)
    if POLICY_PATH.encode("ascii") not in entries:
        raise AnchorRefused(f"the anchor {anchor.commit[:12]} has no {POLICY_PATH}", _ADVICE)
    books = opened(anchor.commit, entries)
    require_pinned_root(
        read_model(store, {POLICY_PATH.encode("ascii"): entries[b"trust/policy.yaml"]}), anchor
    )
    return books


def _files(store: Store, anchor: Anchor) -> tuple[Change, ...]:
    files = store.governed_files(anchor.commit, MAX_ENTRIES)
    if files is None:
        raise AnchorRefused(f"the anchor {anchor.commit[:12]} holds too many files", _ADVICE)
    return files


def _document_at(path: bytes, entry: Entry) -> ObjectId:
    if governed.place(path) is None or not entry.is_plain_file:
        raise AnchorRefused(f"the anchor holds {printable(path)}, which can't be a document", _ADVICE)
    return entry.id


def require_pinned_root(model: Model, anchor: Anchor) -> None:
    """Raises `AnchorRefused` unless the anchor's policy names exactly the pinned root keys."""
    policy = model.policy
    named = frozenset() if policy is None else _fingerprints(policy)
    if named != anchor.root_fingerprints:
        raise AnchorRefused(
            f"the root keys in the anchor {anchor.commit[:12]} are {', '.join(sorted(named))}; "
            f"pinned are {', '.join(sorted(anchor.root_fingerprints))}",
            _ADVICE,
        )


def _fingerprints(policy: Policy) -> frozenset[str]:
    named = (text for principal in policy.spec.root.principals for text in principal.keys)
    return frozenset(keys.from_text(text).fingerprint for text in named)


def read_model(store: Store, entries: Mapping[bytes, ObjectId]) -> Model:
    """The model of these documents, all of which have been accepted. Raises `AnchorRefused`."""
    blobs = store.blobs(list(entries.values()), bounds.MAX_DOCUMENT_BYTES)
    files = [_file(path, data) for path, data in zip(entries, blobs, strict=True)]
    return Model.of(dict(_document(*file) for file in ahead.known_early(files)))


def _file(path: bytes, data: bytes | None) -> tuple[str, bytes]:
    if data is None:
        name = path.decode("ascii")
        raise AnchorRefused(f"{name} is longer than {bounds.MAX_DOCUMENT_BYTES} bytes", _ADVICE)
    return path.decode("ascii"), data


def _document(name: str, data: bytes) -> tuple[str, Document]:
    try:
        return name, content.read(name, data)
    except Rejected as rejected:
        raise AnchorRefused(f"a document in effect can't be used: {rejected.detail}", _ADVICE) from None


@dataclass(frozen=True, slots=True)
class Start:
    """Where judging begins: the books there, and how it is listed among the verdicts."""

    books: Books
    verdict: Verdict


def at_anchor(store: Store, anchor: Anchor) -> Start:
    """The beginning that every node has been told. Raises `AnchorRefused`."""
    return start(store, open_books(store, anchor), Reason.ANCHOR)


def start(store: Store, books: Books, reason: Reason) -> Start:
    """The beginning with these books, all of whose documents are taken over."""
    shown = glance(store.commits([books.commit])[0])
    verdict = Verdict(
        commit=books.commit,
        position=books.position,
        reason=reason,
        detail="",
        signers=(),
        paths=tuple(sorted(printable(path) for path in books.entries)),
        subject=shown.subject,
        author=shown.author,
        date=shown.date,
        state_hash=books.hash,
    )
    return Start(books, verdict)


def pinned_root(store: Store, anchor: Anchor) -> Quorum:
    """Root as the anchor's policy has it, which the node has been told. Raises `AnchorRefused`."""
    path = POLICY_PATH.encode("ascii")
    entry = store.files_at([anchor.commit], (path,))[anchor.commit].get(path)
    model = Model.of({}) if entry is None else read_model(store, {path: entry.id})
    require_pinned_root(model, anchor)
    return root_quorum(model)
