"""A world for each test, and its git processes ended after it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.ledger.world import World


@pytest.fixture
def empty_world(tmp_path: Path) -> Iterator[World]:
    """A ledger that has only begun."""
    world = World(tmp_path)
    yield world
    world.ledger.close()


@pytest.fixture
def world(empty_world: World) -> World:
    """A farm, two tenants, a network each; all of it accepted by the node."""
    empty_world.populate()
    assert empty_world.sync().alarm is None
    return empty_world
