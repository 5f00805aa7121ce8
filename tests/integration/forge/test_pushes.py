"""Real pushes over ssh and https: what nodes would reject is refused, and nothing is ever left half done."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from reconciler.ledger.repository.objects import CommitId
from tests.integration.forge.place import Place
from tests.integration.ledger.world import (
    BOB,
    DAVE,
    ERIN,
    MALLORY,
    SHOP,
    WEB,
    Blob,
    grant,
    network,
)

PUSHERS = 20
ROUNDS = 3
WAIT_S = 60.0


def moved(number: int) -> bytes:
    """The network `web` in another slot."""
    return network("web", 1, [("paris/p1", 1, number)])


def test_what_nodes_accept_lands_and_what_they_reject_is_told_why(served: Place) -> None:
    forge = served.world.forge
    good = forge.branch({WEB: moved(5)}, DAVE, forge.tip)
    assert served.push_main(good).ok
    bad = forge.branch({SHOP: None}, DAVE, good)
    pushed = served.push_main(bad)
    assert not pushed.ok
    assert "nodes would reject 1 of 1 transactions" in pushed.told
    assert "not-authorized: " + SHOP in pushed.told
    assert "ask somebody whom the path's owner names" in pushed.told
    assert served.main == good
    assert served.agent("follower").sync().tip == good


@pytest.mark.rule(15)
def test_the_ledger_is_never_rewritten_deleted_or_put_behind_another_history(served: Place) -> None:
    forge = served.world.forge
    begun, tip = served.main, forge.branch({WEB: moved(5)}, DAVE, forge.tip)
    assert served.push_main(tip).ok
    beside = forge.branch({SHOP: None}, ERIN, CommitId(begun))
    foxtrot = forge.commit({}, ERIN, parents=[beside, tip], push=False)
    told = {
        "rewritten": served.push(f"+{beside}:refs/heads/main").told,
        "set back": served.push(f"+{begun}:refs/heads/main").told,
        "deleted": served.push(":refs/heads/main").told,
        "foxtrot": served.push_main(foxtrot).told,
    }
    assert "doesn't continue the ledger" in told["rewritten"]
    assert "doesn't continue the ledger" in told["set back"]
    assert "can't be deleted" in told["deleted"]
    assert "alarm `foxtrot`" in told["foxtrot"]
    assert served.main == tip


@pytest.mark.rule(20)
def test_an_object_that_would_freeze_every_fetch_is_refused(served: Place) -> None:
    forge, before = served.world.forge, served.main
    blob = forge.write("blob", b"x\n")
    twice = b"".join(b"100644 notes\0" + bytes.fromhex(blob) for _ in range(2))
    payload = forge.payload(forge.write("tree", twice), [forge.tip], "Twice")
    bad = forge.add(payload, {}, push=False)
    pushed = served.push(f"{bad}:refs/heads/main", f"{forge.tip}:refs/heads/other")
    assert not pushed.ok
    assert "duplicateEntries" in pushed.told
    assert served.main == before
    served.require_sound()


def test_a_huge_push_is_judged_whole_and_lands_at_once(served: Place) -> None:
    forge, tip = served.world.forge, served.world.forge.tip
    for number in range(600):
        tip = forge.commit({WEB: moved(3 + number % 90)}, DAVE, parents=[tip], push=False)
    assert "600 transactions, accepted" in served.push_main(tip).told
    bad = forge.branch({SHOP: None}, MALLORY, tip)
    for number in range(200):
        bad = forge.commit({WEB: moved(93 + number % 2)}, DAVE, parents=[bad], push=False)
    assert "would reject 1 of 201 transactions" in served.push_main(bad).told
    assert served.main == tip


def test_more_than_the_server_takes_is_refused(served: Place) -> None:
    served.git("config", "receive.maxInputSize", "1m")
    forge, before = served.world.forge, served.main
    big = forge.branch({"notes.bin": Blob(os.urandom(2 << 20))}, None, forge.tip)
    assert not served.push_main(big).ok
    assert served.main == before
    served.require_sound()


# --- many at once -----------------------------------------------------------------------------------------


def test_of_many_pushers_exactly_the_accepted_land(served: Place) -> None:
    """Twenty at once, again and again on what they then see; a fifth of what they push isn't theirs to
    change. Two nodes follow meanwhile."""
    race = Race(served)
    stop = threading.Event()
    with ThreadPoolExecutor(PUSHERS + 2) as pool:
        followers = [pool.submit(follow, served, f"follower-{number}", stop) for number in range(2)]
        for each in [pool.submit(race.push_often, number) for number in range(PUSHERS)]:
            each.result()
        stop.set()
        seen = [each.result() for each in followers]
    view = served.agent("afterwards").sync()
    landed = [verdict.commit for verdict in view.verdicts if verdict.commit in race.made]
    assert landed, "nobody got through"
    assert set(landed) == race.landed
    assert all(race.made[commit] for commit in landed), "something landed that nodes reject"
    assert all(verdict.accepted for verdict in view.verdicts)
    assert all(states <= {verdict.state_hash for verdict in view.verdicts} for states in seen)
    served.require_sound()


class Race:
    """Who pushed what: `made` says of each commit whether it is right, `landed` which pushes were taken."""

    def __init__(self, served: Place) -> None:
        self.served = served
        self.made: dict[CommitId, bool] = {}
        self.landed: set[CommitId] = set()
        self._lock = threading.Lock()

    def push_often(self, number: int) -> None:
        for turn in range(ROUNDS):
            with self._lock:
                commit = self._commit(number, turn)
            if self.served.push_main(commit).ok:
                with self._lock:
                    self.landed.add(commit)

    def _commit(self, number: int, turn: int) -> CommitId:
        """On top of what the server has now. Each pusher changes a file that differs by its number."""
        right, tip = number % 5 != 0, CommitId(self.served.main)
        path = f"farms/paris/grants/t{number:02}.yaml"
        content = grant(f"t{number:02}", 1 + turn)
        forge = self.served.world.forge
        commit = forge.branch({path: content}, BOB if right else MALLORY, tip)
        self.made[commit] = right
        return commit


def follow(served: Place, name: str, stop: threading.Event) -> set[str]:
    """A node that polls all the time; the states it was in."""
    ledger, seen = served.agent(name), set[str]()
    while not stop.is_set():
        view = ledger.sync()
        assert view.alarm is None
        seen.add(view.state_hash)
    return seen


# --- pushers that die -------------------------------------------------------------------------------------


@pytest.mark.parametrize("delay_s", [0.02, 0.1, 0.3, 0.6])
def test_a_pusher_killed_in_the_middle_leaves_the_old_or_the_new(served: Place, delay_s: float) -> None:
    forge, before = served.world.forge, served.main
    tip = forge.branch({"notes.bin": Blob(os.urandom(8 << 20)), WEB: moved(5)}, DAVE, forge.tip)
    process = subprocess.Popen(
        served.push_command(f"{tip}:refs/heads/main"),
        env=served.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        process.wait(delay_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    wait_until_quiet(served)
    assert served.main in (before, tip)
    served.require_sound()
    again = served.push_main(tip)
    # The server may have gone on with the first push and be done with it only now: then the second is late.
    assert again.ok or served.main == tip, again.told
    assert served.agent("afterwards").sync().tip == tip


def wait_until_quiet(served: Place) -> None:
    """The server notices that its pusher has gone when it next writes or reads."""
    until = time.monotonic() + WAIT_S
    while list((served.server / "objects").glob("incoming-*")):
        assert time.monotonic() < until, "the server still holds on to a push whose pusher is dead"
        time.sleep(0.05)
