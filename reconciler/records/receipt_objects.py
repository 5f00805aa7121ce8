"""Git's objects as a receipt carries them: found by the ids that their bytes have, and nothing carried in
vain.

Trees are walked name by name, so that a path's object is what the commit's id stands for, and the absence of
a path, too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from reconciler.ledger.repository import descent
from reconciler.ledger.repository.objects import (
    Commit,
    CommitMalformed,
    Entry,
    ObjectId,
    object_id,
    parse_commit,
)
from reconciler.ledger.trouble import Damaged
from reconciler.records.receipt import Objects, ReceiptRefused, from_base64, to_base64

KINDS = ("commit", "blob", "tree")
_Name = tuple[str, str]


@dataclass(slots=True)
class CarriedObjects:
    """The objects of one receipt. `used` collects which of them were asked for."""

    _objects: dict[_Name, bytes]
    used: set[_Name] = field(default_factory=set)

    @classmethod
    def of(cls, objects: Objects) -> CarriedObjects:
        """Raises `ReceiptRefused` if they aren't in order, or not in their one form."""
        found: dict[_Name, bytes] = {}
        carried = (
            [text.encode("utf-8") for text in objects.commits],
            [text.encode("utf-8") for text in objects.documents],
            [from_base64(text) for text in objects.trees],
        )
        for kind, contents in zip(KINDS, carried, strict=True):
            names = [object_id(kind, data) for data in contents]
            if names != sorted(set(names)):
                raise ReceiptRefused(f"the receipt's objects ({kind}) aren't sorted by id, each once")
            found.update({(kind, name): data for name, data in zip(names, contents, strict=True)})
        return cls(found)

    def _get(self, kind: str, name: str) -> bytes:
        data = self._objects.get((kind, name))
        if data is None:
            raise ReceiptRefused(f"the receipt doesn't carry the {kind} {name}")
        self.used.add((kind, name))
        return data

    def raw_commit(self, name: str) -> bytes:
        """A commit's raw bytes. Raises `ReceiptRefused`."""
        return self._get("commit", name)

    def commit(self, name: str) -> Commit:
        """A commit. Raises `ReceiptRefused`."""
        try:
            return parse_commit(self.raw_commit(name))
        except CommitMalformed as malformed:
            raise ReceiptRefused(f"the commit {name}: {malformed}") from None

    def document(self, name: str) -> bytes:
        """A document's bytes. Raises `ReceiptRefused`."""
        return self._get("blob", name)

    def file_at(self, commit: str, path: str) -> Entry | None:
        """What stands at the path in the commit's tree; None if nothing does. Raises `ReceiptRefused`."""
        *directories, name = path.encode("ascii").split(b"/")
        tree: ObjectId | None = self.commit(commit).tree
        for directory in directories:
            tree = None if tree is None else self._below(tree, directory)
        if tree is None:
            return None
        entries = self._entries(tree)
        return next((each.entry for each in entries if each.name == name and not _is_tree(each.entry)), None)

    def _below(self, tree: ObjectId, name: bytes) -> ObjectId | None:
        entries = self._entries(tree)
        return next((each.entry.id for each in entries if each.name == name and _is_tree(each.entry)), None)

    def _entries(self, tree: ObjectId) -> list[descent.Named]:
        try:
            return list(descent.entries(self._get("tree", tree)))
        except Damaged as damaged:
            raise ReceiptRefused(f"the tree {tree}: {damaged}") from None

    def require_all_used(self) -> None:
        """Raises `ReceiptRefused` if something is carried that proves nothing."""
        idle = sorted(self._objects.keys() - self.used)
        if idle:
            kind, name = idle[0]
            raise ReceiptRefused(f"the receipt carries the {kind} {name}, on which nothing of it leans")


def _is_tree(entry: Entry) -> bool:
    return entry.mode == descent.DIRECTORY


def pack_objects(objects: Iterable[tuple[str, bytes]]) -> Objects:
    """The objects (kind, raw bytes) as a receipt carries them."""
    by_kind: dict[str, dict[str, bytes]] = {kind: {} for kind in KINDS}
    for kind, data in objects:
        by_kind[kind][object_id(kind, data)] = data
    commits, documents, trees = ([data for _, data in sorted(by_kind[kind].items())] for kind in KINDS)
    return Objects(
        tuple(data.decode("utf-8") for data in commits),
        tuple(data.decode("utf-8") for data in documents),
        tuple(map(to_base64, trees)),
    )
