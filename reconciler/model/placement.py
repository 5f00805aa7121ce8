"""Where in a file a violation is: rules between documents know pointers, people want line and column."""

from __future__ import annotations

import re

from reconciler.model import yaml
from reconciler.model.problems import Problem
from reconciler.model.rules import Violation
from reconciler.model.yaml import Pointer

_PART = re.compile(r"\[([0-9]+)\]|([^.\[\]]+)")


def parse_pointer(text: str) -> Pointer:
    """The inverse of `problems.shown`."""
    return tuple(int(index) if index else key for index, key in _PART.findall(text))


def problem_of(violation: Violation, data: bytes) -> Problem:
    """The violation as a problem in its owner's file, whose content `data` is."""
    line, column = yaml.locate(data).of(parse_pointer(violation.pointer))
    return Problem(
        violation.owner_path,
        line,
        column,
        violation.pointer,
        violation.code,
        violation.message,
        violation.advice,
    )
