"""What `tnet check BASE..HEAD` says of a request: judged as the forge would land it, with nodes' plans."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.main import main
from reconciler.ledger.repository.objects import CommitId
from tests.integration.forge.bomb import bomb
from tests.integration.ledger.world import (
    ALICE,
    BOB,
    DAVE,
    ERIN,
    MALLORY,
    SHOP,
    WEB,
    Blob,
    World,
    network,
    node,
    policy,
)


class Desk:
    """Checks requests in the forge's own bare repository."""

    def __init__(self, world: World, capsys: pytest.CaptureFixture[str]) -> None:
        self.world, self.forge = world, world.forge
        self.base = world.forge.tip
        self._capsys = capsys

    def check(self, head: CommitId, *options: str, code: int = 0, base: str | None = None) -> str:
        self._capsys.readouterr()
        anchor = self.world.anchor
        keys = [word for key in anchor.root_fingerprints for word in ("--root-key", key)]
        words = ["check", f"{base or self.base}..{head}", "--repo", str(self.forge.path)]
        ended = main([*words, "--anchor", anchor.commit, *keys, *options])
        said = self._capsys.readouterr()
        assert ended == code, said.out + said.err
        return said.out

    def plain(self, head: CommitId, *options: str, code: int = 0) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.check(head, *options, "-o", "json", code=code))
        return found

    def codes(self, head: CommitId, *options: str, code: int = 0) -> list[str]:
        return [each["code"] for each in self.plain(head, *options, code=code)["transactions"]]

    def change(self, slot: int, on: CommitId | None = None, comment: str = "") -> CommitId:
        """A commit of Dave's that moves his network to another slot."""
        content = network("web", 1, [("paris/p1", 1, slot)], comment)
        return self.forge.branch({WEB: content}, DAVE, on or self.base)


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Desk]:
    world = World(tmp_path)
    world.populate()
    yield Desk(world, capsys)
    world.ledger.close()


# --- how it lands -----------------------------------------------------------------------------------------


def test_the_four_ways_to_land_one_signed_commit(desk: Desk) -> None:
    head = desk.change(5)
    assert desk.codes(head) == desk.codes(head, "--fast-forward") == ["accepted"]
    assert desk.codes(head, "--merge") == ["accepted"]
    assert desk.codes(head, "--rebase", code=1) == ["unsigned"]
    assert desk.codes(head, "--squash", code=1) == ["unsigned"]
    advice = desk.check(head, "--rebase", code=1)
    assert "land it by a merge commit or a fast-forward instead" in advice


@pytest.mark.rule(9)
def test_what_a_merge_is_judged_as_is_what_the_forge_then_makes(desk: Desk) -> None:
    """The check's verdict on a merge to be made, and the node's on the one that was made."""
    first, second = desk.change(5), desk.forge.branch({SHOP: None}, ERIN, desk.base)
    told = [desk.codes(first, "--merge"), desk.codes(second, "--merge")]
    assert told == [["accepted"], ["accepted"]]
    desk.forge.merge(first)
    desk.forge.merge(second)
    assert desk.world.codes(2) == ["accepted", "accepted"]


@pytest.mark.rule(9)
def test_two_requests_on_one_file_are_sent_back_to_be_signed_again(desk: Desk) -> None:
    """Git merges both changes of one file into content that neither has signed."""
    long = network("web", 1, [("paris/p1", 1, 1)]) + b"".join(b"# %d\n" % number for number in range(20))
    start = desk.forge.branch({WEB: long}, DAVE, desk.base)
    one = desk.forge.branch({WEB: long.replace(b"# 1\n", b"# one\n")}, DAVE, start)
    other = desk.forge.branch({WEB: long.replace(b"# 18\n", b"# eighteen\n")}, DAVE, start)
    found = json.loads(desk.check(other, "-o", "json", code=1, base=one))
    assert found["landing"] == "merge"
    (verdict,) = found["transactions"]
    assert verdict["code"] in ("not-as-authored", "several-authors", "stale-base")
    assert "sign again" in verdict["advice"]
    assert verdict["stands_for"] == other


def test_a_conflict_names_the_files(desk: Desk) -> None:
    found = json.loads(desk.check(desk.change(6), "-o", "json", code=1, base=desk.change(5)))
    assert found["obstacle"]["code"] == "conflict"
    assert WEB in found["obstacle"]["message"]
    assert "sign again" in found["obstacle"]["advice"]
    for way in ("--rebase", "--squash"):
        assert "conflict" in desk.check(desk.change(6), way, code=1, base=desk.change(5))


@pytest.mark.rule(15)
def test_a_branch_that_merged_the_ledger_would_be_a_foxtrot(desk: Desk) -> None:
    beside = desk.change(5)
    desk.forge.commit({SHOP: None}, ERIN)
    updated = desk.forge.commit({SHOP: None}, parents=[beside, desk.forge.tip], push=False)
    tip = desk.forge.tip
    assert "foxtrot" in desk.check(updated, "--fast-forward", code=1, base=tip)
    assert "1 transaction, all accepted (merged by the forge)" in desk.check(updated, "--merge", base=tip)


def test_a_branch_left_behind_cannot_be_fast_forwarded(desk: Desk) -> None:
    desk.forge.commit({SHOP: None}, ERIN)
    said = desk.check(desk.change(5), "--fast-forward", code=1, base=desk.forge.tip)
    assert "not-fast-forward" in said
    assert f"git rebase {desk.forge.tip[:12]}" in said


def test_what_the_ledger_has_already_is_nothing_new(desk: Desk) -> None:
    assert "nothing new" in desk.check(desk.world.anchor.commit, "--merge")
    assert desk.codes(desk.base) == []


def test_a_history_of_its_own(desk: Desk) -> None:
    stranger = desk.forge.commit({"notes": b"x"}, MALLORY, parents=[], push=False)
    assert "shares no history" in desk.check(stranger, code=1)


def test_each_commit_of_a_rebase_is_copied_by_itself(desk: Desk) -> None:
    """Only what the ledger rules needs a signature."""
    first = desk.forge.branch({"notes": b"1"}, None, desk.base)
    second = desk.forge.branch({"notes": b"2"}, None, first)
    desk.forge.commit({SHOP: None}, ERIN)
    found = json.loads(desk.check(second, "--rebase", "-o", "json", base=desk.forge.tip))
    assert [each["code"] for each in found["transactions"]] == ["void", "void"]
    assert [each["stands_for"] for each in found["transactions"]] == [first, second]


def test_a_protocol_of_a_later_release_is_said_to_be_one(desk: Desk) -> None:
    head = desk.forge.branch({"trust/policy.yaml": policy(ALICE, version=2, protocol=9)}, ALICE, desk.base)
    assert desk.plain(head, code=1)["obstacle"]["code"] == "unknown-protocol"


# --- what nodes would do ------------------------------------------------------------------------------------


def test_only_what_would_be_accepted_has_a_plan(desk: Desk) -> None:
    bad = desk.forge.branch({SHOP: None}, MALLORY, desk.change(5))
    (touched,) = desk.plain(bad, code=1)["nodes"]
    assert touched["node"] == "paris/p1"
    assert [plan["title"].split()[0] for plan in touched["plans"]] == ["acme/web"]
    assert desk.plain(desk.forge.branch({SHOP: None}, MALLORY, desk.base), code=1)["nodes"] == []


def test_a_new_node_is_told_in_short_and_with_v_in_full(desk: Desk) -> None:
    head = desk.forge.branch({"farms/paris/nodes/p2.yaml": node("p2", 2)}, BOB, desk.base)
    short, whole = desk.check(head), desk.check(head, "-v")
    assert "paris/p2: new in the ledger; the node itself: 30 to add" in short
    assert "(-v shows every object)" in short
    assert "namespace tnet-nat" not in short
    assert "+ namespace tnet-nat" in whole
    assert "192.0.2.2/32" in short, "the other node's firewall learns the new endpoint"


def test_a_node_that_leaves_and_whose_networks_idle(desk: Desk) -> None:
    head = desk.forge.branch({"farms/paris/nodes/p1.yaml": None}, BOB, desk.base)
    assert "paris/p1: leaves the ledger" in desk.check(head)
    granted = desk.forge.branch({"farms/paris/grants/acme.yaml": None}, BOB, desk.base)
    said = desk.check(granted)
    assert "acme/web: Suspended: NotGranted" in said
    assert "to delete" in said


def test_a_change_that_concerns_no_node(desk: Desk) -> None:
    head = desk.change(1, comment="the same, with a remark")
    assert desk.plain(head)["nodes"] == []
    assert "No node would do anything." in desk.check(head, "-o", "markdown")


# --- what it leaves behind --------------------------------------------------------------------------------


def test_nothing_is_written_into_the_repository(desk: Desk) -> None:
    head = desk.change(5)
    desk.check(head, "--merge")

    def held() -> dict[str, bytes]:
        files = (path for path in desk.forge.path.rglob("*") if path.is_file())
        return {str(path): path.read_bytes() for path in files}

    before = held()
    for way in ("--merge", "--rebase", "--squash", "--fast-forward"):
        desk.check(head, way, code=1 if way in ("--rebase", "--squash") else 0)
    assert held() == before


def test_a_repository_that_may_only_be_read(desk: Desk) -> None:
    """A chronicle that can't be written (a file stands in its directory's place) is no reason to fail."""
    (desk.forge.path / "tnet").write_text("")
    assert desk.codes(desk.change(5), "--merge") == ["accepted"]


@pytest.mark.parametrize("revision", ["nothing..HEAD", "HEAD..nothing"])
def test_a_commit_that_is_not_there(desk: Desk, revision: str, capsys: pytest.CaptureFixture[str]) -> None:
    anchor = desk.world.anchor
    keys = [word for key in anchor.root_fingerprints for word in ("--root-key", key)]
    words = ["check", revision, "--repo", str(desk.forge.path), "--anchor", anchor.commit, *keys]
    assert main(words) == 1
    assert "nothing: there is no such commit here" in capsys.readouterr().err


def test_a_request_with_a_hostile_subject_and_path(desk: Desk) -> None:
    subject = "``` </details> @everyone [x](https://evil.example) | \x1b[31m"
    path = "tenants/ac/acme/networks/`<img src=x>@root|\n.yaml"
    head = desk.forge.commit({path: Blob(b"x")}, DAVE, parents=[desk.base], subject=subject, push=False)
    said = desk.check(head, "-o", "markdown", code=1)
    outside = "".join(said.split("`")[0::2])
    assert "@" not in outside
    assert "evil" not in outside
    assert "\x1b" not in said
    assert "<img" not in outside


@pytest.mark.parametrize("name", ["a:b", 'say "x"', '"quoted"', "back\\slash:", "Zo\u00eb"])
def test_a_repository_under_an_odd_name(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).mkdir()
    world = World(tmp_path / name)
    world.populate()
    desk = Desk(world, capsys)
    head = desk.change(5)
    desk.forge.commit({SHOP: None}, ERIN)
    assert "all accepted" in desk.check(head, "--merge", base=desk.forge.tip)
    world.ledger.close()


def test_trees_without_end_are_said_to_be_too_large(desk: Desk) -> None:
    head = bomb(desk.forge, desk.base, DAVE, "tenants")
    desk.forge.commit({SHOP: None}, ERIN)
    found = json.loads(desk.check(head, "--merge", "-o", "json", code=1, base=desk.forge.tip))
    assert found["obstacle"]["code"] == "too-large"
    assert desk.codes(head, "--fast-forward", code=1) == ["too-many-paths"]


def test_a_request_of_many_commits_is_judged_at_once(desk: Desk) -> None:
    head = desk.base
    for slot in range(200):
        head = desk.change(3 + slot % 90, on=head)
    assert desk.codes(head, "--merge") == ["accepted"]
    assert desk.codes(head, "--fast-forward") == ["accepted"] * 200
