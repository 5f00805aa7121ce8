"""A server's repository, reached by path, by ssh, by https."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.forge.place import Place, make_place
from tests.integration.forge.servers import over_https, over_ssh
from tests.integration.ledger.checkpoints import WENDY, witnessed_policy
from tests.integration.ledger.world import ALICE, World

_SERVERS = {"ssh": over_ssh, "https": over_https}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Reached by its path."""
    world = World(tmp_path)
    world.populate()
    made = make_place(tmp_path, world)
    yield made
    world.ledger.close()
    for ledger in made.ledgers:
        ledger.close()


@pytest.fixture
def witnessed(tmp_path: Path) -> Iterator[Place]:
    """Reached by its path; the policy names Wendy as witness."""
    world = World(tmp_path, root=witnessed_policy(ALICE, witnesses=(WENDY,)))
    world.populate()
    made = make_place(tmp_path, world)
    yield made
    world.ledger.close()
    for ledger in made.ledgers:
        ledger.close()


@pytest.fixture(params=list(_SERVERS))
def served(place: Place, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Place]:
    """The same over a network."""
    with _SERVERS[request.param](place.server.parent, tmp_path / "daemon") as remote:
        place.remote = remote
        yield place
