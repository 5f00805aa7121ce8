"""What a push asks for, as git tells a pre-receive hook: a line a ref, `<old> <new> <ref>` (githooks(5))."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.errors import TnetError
from reconciler.ledger.repository.objects import CommitId

_LINE = re.compile(r"([0-9a-f]{40}) ([0-9a-f]{40}) (refs/[^ \n][^\n]*)")
_NOTHING = "0" * 40


class PushUnreadable(TnetError):
    """The hook was told something else than git tells."""


@dataclass(frozen=True, slots=True)
class Update:
    """A ref that is to go from `old` to `new`; None where it doesn't exist before, or shall not after."""

    ref: str
    old: CommitId | None
    new: CommitId | None


def parse_updates(lines: Iterable[str]) -> tuple[Update, ...]:
    """Raises `PushUnreadable`."""
    return tuple(_update(line) for line in lines)


def _update(line: str) -> Update:
    found = _LINE.fullmatch(line.removesuffix("\n"))
    if found is None:
        raise PushUnreadable(
            f"{line!r} is not `<old> <new> <ref>` with SHA-1 ids",
            "this is for git to call, as a pre-receive hook of a repository with SHA-1 objects",
        )
    return Update(found[3], _commit(found[1]), _commit(found[2]))


def _commit(name: str) -> CommitId | None:
    return None if name == _NOTHING else CommitId(name)
