"""Faults on purpose: the n-th change fails with an errno, or the process dies just before or after it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal


class Death(BaseException):
    """The process that drives the fake dies here.

    A BaseException, so that no `except Exception` of the code under test mistakes it for an error it
    could handle. The world stays as it was at that instant; go on with a fresh transport over it.
    """


@dataclass
class Faults:
    """What will go wrong, and how much was asked so far.

    A change is one message or call that could alter the kernel: a netlink request, an nft transaction,
    one sysctl value, a namespace or a daemon made or ended. Reading is not counted as a change.
    """

    changes: int = 0
    by_kind: Counter[str] = field(default_factory=Counter)
    _codes: dict[int, int] = field(default_factory=dict)
    _deaths: dict[int, Literal["before", "after"]] = field(default_factory=dict)

    def fail(self, at: int, code: int) -> None:
        """The `at`-th change from now (the next one is 1) is refused with `code` and changes nothing."""
        self._codes[self.changes + at] = code

    def die(self, at: int, when: Literal["before", "after"] = "before") -> None:
        """`Death` is raised before or after the `at`-th change from now (the next one is 1)."""
        self._deaths[self.changes + at] = when

    def clear(self) -> None:
        """Forget what was to go wrong; the counts stay."""
        self._codes.clear()
        self._deaths.clear()

    def count_read(self, kind: str) -> None:
        self.by_kind[kind] += 1

    def begin_change(self, kind: str) -> int:
        """Count one change; returns the errno it must be refused with, or 0."""
        self.changes += 1
        self.by_kind[kind] += 1
        if self._deaths.get(self.changes) == "before":
            del self._deaths[self.changes]
            raise Death(f"before change {self.changes} ({kind})")
        return self._codes.pop(self.changes, 0)

    def end_change(self, kind: str) -> None:
        if self._deaths.get(self.changes) == "after":
            del self._deaths[self.changes]
            raise Death(f"after change {self.changes} ({kind})")
