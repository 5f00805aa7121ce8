"""What is wrong with a document, told to the person who wrote it."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.errors import TnetError
from reconciler.model.yaml import Pointer


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong at a pointer, before anybody has looked where that is written.

    `at_key` says that the key itself is meant, not the value under it.
    """

    pointer: Pointer
    code: str
    message: str
    advice: str = ""
    at_key: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in a file: where (line and column from 1), what (`code` for programs), what to do."""

    path: str
    line: int
    column: int
    pointer: str
    code: str
    message: str
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}: {self.message}"


class DocumentError(TnetError):
    """A file that should hold a document doesn't. `problems` has at least one entry, in the file's order."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems), problems[0].advice)
        self.problems = problems


def shown(pointer: Pointer) -> str:
    """A pointer as people write it: `spec.resources[0].node`."""
    text = ""
    for part in pointer:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
