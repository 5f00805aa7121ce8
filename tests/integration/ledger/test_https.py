"""Fetching over https from git's own http-backend behind a real web server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reconciler.ledger.trouble import RemoteUnreachable
from tests.integration.ledger.checkpoints import BRANCH, put
from tests.integration.ledger.git_server import GitServer, git_server
from tests.integration.ledger.world import DAVE, WEB, World, network


@pytest.fixture
def server(world: World) -> Iterator[GitServer]:
    with git_server(world.directory) as running:
        yield running


def test_https_with_a_pinned_authority(world: World, server: GitServer) -> None:
    ledger = world.new_ledger(
        "over-https", remote=f"{server.url}/forge.git", https_ca_file=world.directory / "server.pem"
    )
    assert ledger.sync().state_hash == world.sync().state_hash
    world.forge.commit({WEB: network("web", 3)}, DAVE)
    assert ledger.sync().verdicts[-1].code == "accepted"
    ledger.close()


def test_a_poll_with_nothing_new_costs_few_bytes(world: World, server: GitServer) -> None:
    """Whatever other refs the forge has: pull requests by the thousand must not be listed to every node."""
    for number in range(200):
        world.forge.git("update-ref", f"refs/pull/{number}/head", world.forge.tip)
    ledger = world.new_ledger(
        "over-https", remote=f"{server.url}/forge.git", https_ca_file=world.directory / "server.pem"
    )
    ledger.sync()
    server.sent_bytes = 0
    ledger.sync()
    assert server.sent_bytes < 500
    ledger.close()


def test_checkpoints_come_in_the_same_fetch(world: World, server: GitServer) -> None:
    """No further request; one more line of refs to hear that nothing is new."""
    put(world.forge, {"README": b"x"})
    requests, sent = [], []
    for name, branch in (("plain", None), ("watching", BRANCH)):
        ledger = world.new_ledger(
            name,
            remote=f"{server.url}/forge.git",
            https_ca_file=world.directory / "server.pem",
            checkpoints=branch,
        )
        ledger.sync()
        server.answers = server.sent_bytes = 0
        ledger.sync()
        requests.append(server.answers)
        sent.append(server.sent_bytes)
        ledger.close()
    assert requests == [2, 2]
    assert sent[1] - sent[0] < 100
    assert sent[1] < 500


def test_https_from_an_unknown_authority_is_refused(world: World, server: GitServer) -> None:
    with pytest.raises(RemoteUnreachable, match="certificate"):
        world.new_ledger("over-https", remote=f"{server.url}/forge.git").sync()


def test_a_forge_that_does_not_have_it(world: World, server: GitServer) -> None:
    ledger = world.new_ledger(
        "over-https", remote=f"{server.url}/nothing.git", https_ca_file=world.directory / "server.pem"
    )
    with pytest.raises(RemoteUnreachable):
        ledger.sync()
