"""A step of the demo, and a check: one claim, whether it was seen to hold, and the evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.lab.demo.scene import Scene


@dataclass(frozen=True, slots=True)
class Check:
    """`evidence` is what was seen, line by line; `shown` says whether to print it when the check holds."""

    claim: str
    ok: bool
    evidence: tuple[str, ...] = ()
    shown: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """`run` acts on the scene and yields each check as soon as it has been observed."""

    name: str
    title: str
    run: Callable[[Scene], Iterator[Check]]


def compare(claim: str, expected: object, seen: object) -> Check:
    """The claim that two values are equal; the evidence is both where they are not."""
    if expected == seen:
        return Check(claim, True)
    return Check(claim, False, (f"expected: {expected}", f"seen:     {seen}"))
