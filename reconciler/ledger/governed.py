"""Which paths of the repository the ledger rules, and which of them can hold a document.

Everything under `trust/`, `farms/` and `tenants/` is governed, also under names that a file system might
take for these: other case, compatibility forms of letters, invisible characters, dots and spaces at
the end. So nobody's work tree shows as governed what no node has judged. All else is not ours to judge.
"""

from __future__ import annotations

import unicodedata

from reconciler.ledger.objects import Change
from reconciler.model.paths import Place, place_of

ROOTS = frozenset({"trust", "farms", "tenants"})
_EXACT = tuple(root.encode("ascii") for root in ROOTS)


def is_governed(path: bytes) -> bool:
    """Whether the ledger rules this path."""
    first = path.partition(b"/")[0]
    return first in _EXACT or _folded(first) in ROOTS


def governed(changes: tuple[Change, ...]) -> tuple[Change, ...]:
    """The changes of governed paths."""
    return tuple(change for change in changes if is_governed(change.path))


def place(path: bytes) -> Place | None:
    """The document that belongs at this path; None where none can lie."""
    try:
        return place_of(path.decode("ascii"))
    except UnicodeDecodeError:
        return None


def _folded(name: bytes) -> str:
    text = unicodedata.normalize("NFKC", name.decode("utf-8", "replace")).casefold()
    visible = "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cf"))
    return visible.rstrip(". ")
