"""Whole farms on this machine: every test has labs of its own names and takes down what it started."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator

import pytest

from reconciler.lab.lab import down
from reconciler.lab.record import Record


@pytest.fixture
def new_record() -> Iterator[Callable[[], Record]]:
    """Makes records of labs with names of their own; whatever is up at the end is taken down."""
    if os.geteuid() != 0:
        pytest.skip("the lab needs root")
    made: list[Record] = []

    def make() -> Record:
        made.append(Record.named(f"t{os.getpid()}-{uuid.uuid4().hex[:8]}"))
        return made[-1]

    yield make
    for record in made:
        if record.exists:
            down(record)
