"""What stands in a list twice and may stand there once."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator

from reconciler.model.problems import Finding
from reconciler.model.yaml import Pointer

SHOWN_CHARACTERS = 60


def repeated(
    values: Iterable[Hashable], at: Pointer, code: str, what: str, field: str | None = None
) -> Iterator[Finding]:
    """A finding for each value that the list at `at` has twice; `field` is where each entry has it."""
    seen: set[Hashable] = set()
    for number, value in enumerate(values):
        if value in seen:
            pointer = (*at, number) if field is None else (*at, number, field)
            message = f"{what} `{_brief(value)}` is listed twice"
            yield Finding(pointer, code, message, "Remove one of the two.")
        seen.add(value)


def _brief(value: Hashable) -> str:
    text = str(value)
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"
