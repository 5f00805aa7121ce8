"""What lies in a commit's tree and isn't in effect, and which rejected transaction put it there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from reconciler.ledger import bounds
from reconciler.ledger.replay import Replay
from reconciler.ledger.repository.descent import descend
from reconciler.ledger.repository.objects import Change, CommitId, Entry, printable
from reconciler.ledger.repository.store import Store
from reconciler.ledger.trouble import LocalTrouble
from reconciler.ledger.verdict import Verdict
from reconciler.records import line_diff


@dataclass(frozen=True, slots=True)
class Refused:
    """A path where the tree (`refused`) holds something else than what is in effect. `by` is the transaction
    that made it so."""

    path: bytes
    effective: Entry | None
    refused: Entry | None
    by: Verdict

    @property
    def name(self) -> str:
        """The path for people."""
        return printable(self.path)

    @property
    def what(self) -> str:
        """`added`, `changed` or `removed`, seen from what is in effect."""
        if self.effective is None:
            return "added"
        return "removed" if self.refused is None else "changed"


class TooMuchRefused(LocalTrouble):
    """The tree differs from what is in effect in more paths than can be listed."""


def refused(judged: Replay) -> tuple[Refused, ...]:
    """Every such path of the last transaction's tree, sorted. Raises `TooMuchRefused`."""
    store, books = judged.store, judged.books
    changes = descend(judged.view.effective_tree, store.tree_of(books.commit), store.raw_tree)
    if changes is None:
        raise TooMuchRefused(
            f"{books.commit[:12]} differs from what is in effect in more than {bounds.MAX_LISTED} entries",
            "`tnet log --rejected` says which transactions were rejected; whoever runs the forge can set the "
            "branch back to before them",
        )
    by = _rejected_by(judged.verdicts)
    return tuple(
        Refused(change.path, change.old, change.new, _verdict(judged, by, change)) for change in changes
    )


def _rejected_by(verdicts: Iterable[Verdict]) -> Mapping[str, Verdict]:
    """The last rejected transaction of each path."""
    return {path: verdict for verdict in verdicts if not verdict.accepted for path in verdict.paths}


def _verdict(judged: Replay, by: Mapping[str, Verdict], change: Change) -> Verdict:
    """Of a transaction with very many paths, only the first are remembered: then the history is asked."""
    return by.get(printable(change.path)) or _last_to_change(judged.store, judged.verdicts, change.path)


def _last_to_change(store: Store, verdicts: Sequence[Verdict], path: bytes) -> Verdict:
    literal = ":(top,literal)" + path.decode("utf-8", "surrogateescape")
    tip = verdicts[-1].commit
    found = CommitId(store.runner.text("rev-list", "--first-parent", "-n1", tip, "--", literal))
    return next(verdict for verdict in verdicts if verdict.commit == found)


def as_diff(store: Store, found: Refused) -> list[str]:
    """From what is in effect to what was refused, as a unified diff; in a line why there is none."""
    sides = (found.effective, found.refused)
    strange = next((side for side in sides if side is not None and not side.is_plain_file), None)
    if strange is not None:
        return [f"{found.name}: of mode {strange.mode}, not a plain file"]
    present = {side.id: store.blobs([side.id], bounds.MAX_DOCUMENT_BYTES)[0] for side in sides if side}
    contents = {name: (name, data) for name, data in present.items() if data is not None}
    if len(contents) < len(present):
        return [f"{found.name}: longer than the {bounds.MAX_DOCUMENT_BYTES} bytes of a document"]
    old, new = (contents[side.id] if side else None for side in sides)
    return line_diff.unified(store.runner, old, new, found.name)
