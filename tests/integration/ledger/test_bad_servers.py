"""Servers that hang, trickle, cut off, send garbage or change their mind between two requests of one fetch.

Each time the node keeps what it had, says so, and goes on when the server is well again.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

import pytest

from reconciler.ledger.ledger import Ledger
from reconciler.ledger.repository.objects import CommitId
from reconciler.ledger.trouble import Damaged, LocalTrouble, RemoteTimeout, RemoteUnreachable
from reconciler.ledger.view import LedgerView
from tests.integration.ledger.git_server import GitServer, git_server
from tests.integration.ledger.world import DAVE, ERIN, SHOP, WEB, World, network

pytestmark = [pytest.mark.rule(3), pytest.mark.rule(15)]

LIST, PACK = 1, 2
"""Of one fetch over https: 0 is the greeting, 1 lists the refs, 2 sends the objects."""


@pytest.fixture
def server(world: World) -> Iterator[GitServer]:
    with git_server(world.directory) as running:
        yield running


@pytest.fixture
def node(world: World, server: GitServer) -> Iterator[Ledger]:
    """A node that has seen the ledger once, over this server, and now has something new to fetch."""
    ledger = world.new_ledger(
        "over-https",
        remote=f"{server.url}/forge.git",
        https_ca_file=world.directory / "server.pem",
        fetch_timeout_s=3.0,
    )
    ledger.sync()
    server.answers = 0
    world.forge.commit({WEB: network("web", 3)}, DAVE)
    yield ledger
    ledger.close()


def after(number: int, spoil: Callable[[bytes], Iterable[bytes]]) -> Callable[[int, bytes], Iterable[bytes]]:
    """Spoils the answer of this number alone."""
    return lambda at, content: spoil(content) if at == number else (content,)


def assert_recovers(world: World, server: GitServer, node: Ledger, good: LedgerView) -> None:
    """Nothing of the bad fetch is left, and the next good one brings the newest."""
    assert node.judge_local() == good
    server.spoil = None
    view = node.sync()
    assert (view.alarm, view.tip) == (None, world.forge.tip)
    assert view.state_hash == world.sync().state_hash


@pytest.mark.parametrize("number", [0, LIST, PACK])
def test_a_server_that_hangs_is_given_up(world: World, server: GitServer, node: Ledger, number: int) -> None:
    good = node.judge_local()

    def hang(content: bytes) -> Iterator[bytes]:
        yield content[: len(content) // 2]
        server.ended.wait(20)

    server.spoil = after(number, hang)
    begun = time.monotonic()
    with pytest.raises(RemoteTimeout):
        node.sync()
    assert time.monotonic() - begun < 15
    assert_recovers(world, server, node, good)


def test_a_server_that_trickles_is_given_up(world: World, server: GitServer, node: Ledger) -> None:
    """It never stops sending, and never gets anywhere."""
    good = node.judge_local()

    def trickle(content: bytes) -> Iterator[bytes]:
        for byte in content:
            yield bytes([byte])
            if server.ended.wait(0.1):
                return

    server.spoil = after(PACK, trickle)
    begun = time.monotonic()
    with pytest.raises(RemoteTimeout):
        node.sync()
    assert time.monotonic() - begun < 15
    assert_recovers(world, server, node, good)


@pytest.mark.parametrize("number", [0, LIST, PACK])
@pytest.mark.parametrize("bend", ["cut off", "garbage", "empty", "one bit"])
def test_a_server_that_sends_garbage(
    world: World, server: GitServer, node: Ledger, number: int, bend: str
) -> None:
    good = node.judge_local()

    def bent(content: bytes) -> Iterator[bytes]:
        middle = len(content) // 2
        if bend == "cut off":
            yield content[:middle]
        elif bend == "garbage":
            yield os.urandom(len(content))
        elif bend == "one bit":
            yield content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]

    server.spoil = after(number, bent)
    try:
        view = node.sync()
    except RemoteUnreachable as trouble:
        assert str(trouble)
        assert trouble.advice
    else:  # One bit of what is only shown to people may differ.
        assert bend == "one bit"
        assert (view.alarm, view.tip) in ((None, world.forge.tip), (None, good.tip))
        good = view
    assert_recovers(world, server, node, good)


def test_a_server_that_goes_on_between_two_requests(world: World, server: GitServer, node: Ledger) -> None:
    """The refs were listed, then somebody pushed: what was listed is fetched, the rest comes next time."""
    listed = world.forge.tip

    def pushed(content: bytes) -> Iterator[bytes]:
        yield content
        world.forge.commit({SHOP: network("shop", 4)}, ERIN)

    server.spoil = after(LIST, pushed)
    assert node.sync().tip == listed
    assert node.sync().tip == world.forge.tip


def test_a_server_that_goes_back_between_two_requests(world: World, server: GitServer, node: Ledger) -> None:
    """The refs were listed, then the branch is set back: the node is at what it was shown, and stays."""
    listed = world.forge.tip

    def set_back(content: bytes) -> Iterator[bytes]:
        yield content
        world.forge.set_main(world.forge.git("rev-parse", "main~1"))

    server.spoil = after(LIST, set_back)
    good = None
    with suppress(RemoteUnreachable):  # Some servers don't hand out what isn't a ref any more.
        good = node.sync()
    server.spoil = None
    view = node.sync()
    if good is None:
        assert (view.alarm, view.tip) == (None, world.forge.tip)
    else:
        assert good.tip == listed
        assert view.alarm is not None
        assert view.tip == listed


def test_a_server_that_lists_what_it_does_not_have(world: World, server: GitServer, node: Ledger) -> None:
    good, made_up = node.judge_local(), CommitId("1" * 40)
    tip = world.forge.tip.encode()
    server.spoil = after(LIST, lambda content: (content.replace(tip, made_up.encode()),))
    with pytest.raises(RemoteUnreachable):
        node.sync()
    assert_recovers(world, server, node, good)


def test_a_server_that_lists_another_commit_than_the_tip_is_taken_at_its_word(
    world: World, server: GitServer, node: Ledger
) -> None:
    """It may show any commit as the branch: as far as it leads on, it is judged like any; nothing else is."""
    good = node.judge_local()
    tip = world.forge.tip
    fork = world.forge.commit(
        {WEB: network("web", 7)}, DAVE, parents=[CommitId(world.anchor.commit)], push=False
    )
    world.forge.git("update-ref", "refs/heads/other", fork)
    server.spoil = after(LIST, lambda content: (content.replace(tip.encode(), fork.encode()),))
    view = node.sync()
    assert view.alarm is not None
    assert view.state_hash == good.state_hash
    server.spoil = None
    assert (node.sync().alarm, node.sync().tip) == (None, tip)


def test_a_pack_that_lacks_an_object_is_no_verdict(world: World, server: GitServer, node: Ledger) -> None:
    """The forge has lost a document: nothing is rejected because of it, and it heals."""
    good = node.judge_local()
    lost = world.forge.write("blob", network("web", 3))
    path = world.forge.path / "objects" / lost[:2] / lost[2:]
    kept = path.read_bytes()
    path.unlink()
    with pytest.raises((RemoteUnreachable, Damaged)):
        node.sync()
    path.write_bytes(kept)
    assert_recovers(world, server, node, good)


@pytest.mark.rule(21)
@pytest.mark.parametrize("bend", ["grafts", "replace", "shallow"])
@pytest.mark.parametrize("parents", [True, False], ids=["other parents", "no parents"])
def test_a_forge_that_bends_its_own_history(world: World, bend: str, parents: bool) -> None:
    """Its git believes another past than the objects say: nodes see the objects' own, or that some miss."""
    good = world.sync()
    forge, anchor = world.forge, world.anchor.commit
    forge.commit({WEB: network("web", 3)}, DAVE)
    bent = CommitId(forge.git("rev-parse", "main~2"))
    straight = world.new_ledger("straight").sync()
    if bend == "grafts":
        (forge.path / "info").mkdir(exist_ok=True)
        (forge.path / "info" / "grafts").write_text(f"{bent} {anchor if parents else ''}".strip() + "\n")
    elif bend == "shallow":
        (forge.path / "shallow").write_text(f"{bent}\n")
    else:
        tree = forge.git("rev-parse", f"{anchor}^{{tree}}")
        other = forge.write("commit", forge.payload(tree, [anchor] if parents else [], "Another past"))
        forge.git("update-ref", f"refs/replace/{bent}", other)
    for ledger, before in ((world.ledger, good), (world.new_ledger("new"), None)):
        try:
            view = ledger.sync()
        except LocalTrouble as trouble:
            assert trouble.advice
            assert before is None or ledger.judge_local() == before
        else:
            assert (view.alarm, view.state_hash) == (None, straight.state_hash)
        ledger.close()
