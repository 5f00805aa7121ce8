"""Places in a document: lines, and what stands at a pointer."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.errors import TnetError
from reconciler.model import yaml
from reconciler.model.placement import parse_pointer
from reconciler.model.problems import shown
from reconciler.model.yaml import Pointer


class NoSuchSpot(TnetError):
    """The document has no such line, or nothing at this pointer."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Lines `first` to `last` of a document, counted from 0."""

    path: str
    first: int
    last: int
    pointer: str = ""

    @property
    def lines(self) -> range:
        return range(self.first, self.last + 1)


def at_line(path: str, data: bytes, line: int) -> Spot:
    """Line `line`, counted from 1. Raises `NoSuchSpot`."""
    count = len(lines_of(data))
    if not 1 <= line <= count:
        raise NoSuchSpot(f"{path} has {count} lines, as it is in effect, and no line {line}")
    return Spot(path, line - 1, line - 1)


def at_pointer(path: str, data: bytes, text: str) -> Spot:
    """The lines of what `spec.resources[0].slot` names. Raises `NoSuchSpot`."""
    found = spot_of(path, data, parse_pointer(text))
    if found is None:
        raise NoSuchSpot(f"{path} has nothing at {text}, as it is in effect")
    return found


def spot_of(path: str, data: bytes, pointer: Pointer) -> Spot | None:
    """The lines at a pointer; None if nothing is there. A field that isn't written has no lines."""
    positions = yaml.locate(data)
    if pointer not in positions.values:
        return None
    first = positions.of_key(pointer).line
    later = (
        positions.of_key(other).line
        for other in positions.values
        if other[: len(pointer)] != pointer and positions.of_key(other).line > first
    )
    last = min(later, default=len(lines_of(data)) + 1) - 1
    return Spot(path, first - 1, max(first, last) - 1, shown(pointer))


def whole(path: str, data: bytes) -> Spot:
    """All of a document."""
    return Spot(path, 0, len(lines_of(data)) - 1)


def lines_of(data: bytes) -> list[str]:
    """As git counts them: they end with a line feed and nothing else."""
    return data.decode("utf-8").removesuffix("\n").split("\n")
