"""Which paths of the repository the ledger rules, and which of them can hold a document.

Everything under `trust/`, `farms/` and `tenants/` is governed, also under names that a file system takes for
these: other case, characters that it ignores, dots and spaces at the end. So nobody's work tree shows
as governed what no node has judged. All else is not ours to judge.

What is folded is listed here and not asked of `unicodedata`: its tables grow with Python's versions, and
nodes must agree.

See docs/spec/ledger.md, section 4.
"""

from __future__ import annotations

from reconciler.ledger.repository.objects import Change
from reconciler.model.paths import Place, place_of

ROOTS = frozenset({"trust", "farms", "tenants"})
# Other case of the letters in our names (U+017F is a long s, and the only such letter beyond ASCII; Unicode's
# CaseFolding.txt), and what HFS+ ignores in names (git, utf8.c, next_hfs_char).
_FOLDED: dict[int, str | None] = {
    **{ord(letter.upper()): letter for letter in "abcdefghijklmnopqrstuvwxyz"},
    0x17F: "s",
    **dict.fromkeys((*range(0x200C, 0x2010), *range(0x202A, 0x202F), *range(0x206A, 0x2070), 0xFEFF)),
}
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
    return name.decode("utf-8", "replace").translate(_FOLDED).rstrip(". ")
