"""In which state of a clone one can edit, and that an edit which can't be made leaves the clone alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.authoring.commit import commit_signed
from reconciler.authoring.errors import NothingToDo
from tests.integration.authoring.desk import WEB, Desk, git

ADD = ("network", "add-node", "acme/web", "lyon/l1")


def refused(desk: Desk, words: tuple[str, ...] = ADD) -> str:
    """What the command says when it refuses; nothing may have changed."""
    before = desk.snapshot()
    said = desk.tnet(*words, by="dave", code=1)
    assert desk.snapshot() == before
    return said.err


def test_a_file_with_changes_is_not_written_over(web: Desk) -> None:
    web.write(WEB, web.read(WEB) + "# a thought\n")
    assert f"{WEB}: has changes that aren't committed" in refused(web)
    web.git("add", WEB)
    assert f"put them aside: git stash push -u -- {WEB}" in refused(web)


def test_an_untracked_file_in_the_way_is_not_written_over(desk: Desk) -> None:
    (desk.root / WEB).parent.mkdir(parents=True)
    desk.write(WEB, "mine\n")
    assert "has changes that aren't committed" in refused(desk, ("network", "create", "acme/web"))


def test_other_changes_stay_where_they_are(web: Desk) -> None:
    web.write("notes.txt", "staged\n")
    web.git("add", "notes.txt")
    web.write("farms/paris/farm.yaml", "# edited, not staged\n" + web.read("farms/paris/farm.yaml"))
    web.tnet(*ADD, by="dave")
    assert web.git("status", "--porcelain").splitlines() == ["M farms/paris/farm.yaml", "A  notes.txt"]
    assert web.git("show", "--name-only", "--format=", "HEAD") == WEB


def test_not_in_the_middle_of_a_merge(web: Desk) -> None:
    (web.root / ".git/MERGE_HEAD").write_text(web.git("rev-parse", "HEAD") + "\n")
    assert "a merge is under way" in refused(web)


def test_not_on_a_detached_head(web: Desk) -> None:
    web.git("checkout", "-q", "--detach")
    assert "no branch is checked out" in refused(web)


def test_on_a_branch_of_ones_own(web: Desk) -> None:
    web.git("switch", "-qc", "topic")
    web.tnet(*ADD, by="dave")
    assert web.git("rev-parse", "topic~1") == web.git("rev-parse", "main")


def test_from_a_directory_further_down(web: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(web.root / "farms/paris")
    web.tnet(*ADD, by="dave")
    assert web.git("status", "--porcelain") == ""


@pytest.mark.parametrize("where", ["empty", "bare", "unborn"])
def test_where_there_is_no_ledger(desk: Desk, tmp_path: Path, where: str) -> None:
    there = tmp_path / "there"
    there.mkdir()
    if where != "empty":
        git(there, "init", "-q", *(["--bare"] if where == "bare" else []))
    said = desk.tnet("network", "create", "acme/x", "--repo", str(there), by="dave", code=1)
    expected = {
        "empty": "this is not a Git repository",
        "bare": "has no work tree",
        "unborn": "there is no commit yet",
    }
    assert expected[where] in said.err


def test_a_link_that_leads_elsewhere_is_not_followed(web: Desk, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (web.root / "tenants/ac/acme/networks").rename(elsewhere)
    (web.root / "tenants/ac/acme/networks").symlink_to(elsewhere)
    before = {file.name: file.read_bytes() for file in elsewhere.iterdir()}
    said = web.tnet("network", "create", "acme/db", by="dave", code=1)
    assert "symbolic link" in said.err
    assert {file.name: file.read_bytes() for file in elsewhere.iterdir()} == before


def test_a_place_that_can_not_be_written_leaves_the_branch_alone(desk: Desk) -> None:
    """A file where a directory has to be: what a full disk or a read-only one comes to."""
    (desk.root / "tenants/ac/acme/networks").write_text("in the way\n")
    desk.write(".gitignore", "networks\n")
    before = desk.snapshot()
    said = desk.tnet("network", "create", "acme/web", by="dave", code=1)
    assert "nothing was changed" in said.err
    assert desk.snapshot() == before


def test_building_on_what_was_rejected_is_refused_until_it_is_cleared_away(web: Desk) -> None:
    web.write(WEB, web.read(WEB).replace("index: 1", "index: 7"))
    web.git("-c", "user.name=x", "-c", "user.email=x@x", "commit", "-qam", "unsigned")
    assert "what HEAD says here isn't in effect" in refused(web)
    assert "takes back" in web.tnet("rollback", "HEAD", by="dave").out
    web.tnet(*ADD, by="dave")


def test_a_tool_may_commit_without_being_judged(web: Desk) -> None:
    web.write(WEB, "not even YAML: [\n")
    commit = commit_signed(web.root, [WEB], "Break it", web.keys / "dave")
    assert web.git("rev-parse", "HEAD") == commit
    assert web.git("status", "--porcelain") == ""
    with pytest.raises(NothingToDo):
        commit_signed(web.root, [WEB], "Break it", web.keys / "dave")
