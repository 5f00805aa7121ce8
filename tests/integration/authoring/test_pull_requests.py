"""Branches and merges, as the user guide tells them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.authoring.desk import WEB, Desk


@pytest.fixture
def council(desk: Desk, tmp_path: Path) -> Desk:
    """A ledger whose root is alice and bob together."""
    roots = [word for who in ("alice", "bob") for word in ("--root", f"{who}={desk.keys}/{who}.pub")]
    desk.tnet("init", str(tmp_path / "new"), *roots, "--threshold", "2", by="alice")
    desk.go(tmp_path / "new")
    return desk


def signed_merge(desk: Desk, person: str, branch: str) -> None:
    desk.git("config", "user.name", person)
    desk.git("config", "user.email", f"{person}@localhost")
    desk.git("config", "gpg.format", "ssh")
    desk.git("config", "user.signingkey", str(desk.keys / person))
    desk.git("merge", "-q", "--no-ff", "-S", "-m", f"Merge {branch}", branch)


def test_one_commits_on_a_branch_and_the_other_merges_it(council: Desk) -> None:
    words = ("farm", "add", "nice", "--farmer", f"chloe={council.keys}/chloe.pub")
    assert "threshold" in council.tnet(*words, by="alice", code=1).err
    council.git("switch", "-qc", "nice")
    assert "NOT ACCEPTED as it stands (threshold)" in council.tnet(*words, "--force", by="alice").out
    council.git("switch", "-q", "main")
    signed_merge(council, "bob", "nice")
    assert "1 transaction, all accepted" in council.tnet("check", "HEAD^1..HEAD").out


def test_merging_ones_own_branch_is_not_a_second_signature(council: Desk) -> None:
    council.git("switch", "-qc", "nice")
    council.tnet("farm", "add", "nice", "--farmer", f"chloe={council.keys}/chloe.pub", "--force", by="alice")
    council.git("switch", "-q", "main")
    signed_merge(council, "alice", "nice")
    assert "threshold" in council.tnet("check", "HEAD^1..HEAD", code=1).out


def test_an_unsigned_merge_by_the_forge_brings_in_what_was_signed(web: Desk) -> None:
    web.git("switch", "-qc", "topic")
    web.tnet("network", "add-node", "acme/web", "lyon/l1", by="dave")
    web.git("switch", "-q", "main")
    web.git("-c", "user.name=forge", "-c", "user.email=f@f", "merge", "-q", "--no-ff", "-m", "Merge", "topic")
    assert "all accepted" in web.tnet("check", "HEAD^1..HEAD").out
    assert "signed by dave (tenant acme)" in web.tnet("log", "-n", "1").out
    web.tnet("rollback", "HEAD", by="dave")
    assert "lyon/l1" not in web.read(WEB)


def test_a_squash_by_the_forge_is_rejected_and_changes_nothing(web: Desk) -> None:
    web.git("switch", "-qc", "topic")
    web.tnet("network", "add-node", "acme/web", "lyon/l1", by="dave")
    web.git("switch", "-q", "main")
    web.git("merge", "-q", "--squash", "topic")
    web.git("-c", "user.name=forge", "-c", "user.email=f@f", "commit", "-qm", "Squash")
    assert "unsigned" in web.tnet("check", "HEAD^1..HEAD", code=1).out
