"""Figures: what was measured, in which unit, against which goal; as a table and as JSON."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figure:
    """`goal` is the most `value` may be (the least, with `at_least`); None where there is none."""

    id: str
    value: float
    unit: str
    goal: float | None = None
    at_least: bool = False
    what: str = ""

    @property
    def ok(self) -> bool:
        if self.goal is None:
            return True
        return self.value >= self.goal if self.at_least else self.value <= self.goal


def table(figures: Sequence[Figure]) -> str:
    """Aligned columns: id, value, unit, goal, what."""
    rows = [("id", "value", "unit", "goal", "", "what"), *map(_row, figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return "\n".join(_line(row, widths) for row in rows)


def write_json(figures: Sequence[Figure], path: Path) -> None:
    """A list of `{id, value, unit, goal, ok}`; goal is null where there is none."""
    rows = [
        {key: value for key, value in asdict(figure).items() if key not in ("at_least", "what")}
        | {"ok": figure.ok}
        for figure in figures
    ]
    path.write_text(json.dumps(rows, indent=1) + "\n")


def _row(figure: Figure) -> tuple[str, ...]:
    goal = "" if figure.goal is None else f"{'>=' if figure.at_least else '<='} {figure.goal:g}"
    judged = "" if figure.goal is None else ("ok" if figure.ok else "MISSED")
    return (figure.id, f"{figure.value:.4g}", figure.unit, goal, judged, figure.what)


def _line(row: tuple[str, ...], widths: Sequence[int]) -> str:
    cells = [
        row[column].rjust(width) if column == 1 else row[column].ljust(width)
        for column, width in enumerate(widths)
    ]
    return "  ".join([*cells, row[5]]).rstrip()


def add_json_option(parser: argparse.ArgumentParser) -> None:
    """Gives a benchmark's command line `--json`."""
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write a list of {id, value, unit, goal, ok}"
    )


def say(text: str) -> None:
    """How far it has come; what is measured goes to standard output."""
    print(text, file=sys.stderr, flush=True)
