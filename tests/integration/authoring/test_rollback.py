"""Taking transactions back."""

from __future__ import annotations

import re

from tests.integration.authoring.desk import WEB, Desk

PARIS = "farms/paris/farm.yaml"
POLICY = "trust/policy.yaml"


def test_the_last_change_goes_and_the_file_is_as_before(web: Desk) -> None:
    before = web.read(WEB)
    web.tnet("network", "add-node", "acme/web", "lyon/l1", by="dave")
    said = web.tnet("rollback", "HEAD", by="dave")
    assert 'Roll back "network acme/web: add lyon/l1"' in said.out
    assert "next: push it" in said.out
    assert web.read(WEB) == before
    assert web.tnet("log", "-n", "1").out.startswith("accepted")


def test_a_roll_back_can_be_rolled_back(web: Desk) -> None:
    web.tnet("network", "add-node", "acme/web", "lyon/l1", by="dave")
    extended = web.read(WEB)
    web.tnet("rollback", "HEAD", by="dave")
    web.tnet("rollback", "HEAD", by="dave")
    assert web.read(WEB) == extended


def test_later_changes_of_other_lines_stay(web: Desk) -> None:
    web.tnet("network", "add-node", "acme/web", "lyon/l1", by="dave")
    web.write(WEB, web.read(WEB).replace("  name: web\n", "  name: web\n  description: ours\n"))
    web.tnet("commit", by="dave")
    web.tnet("rollback", "HEAD~1", by="dave")
    assert "description: ours" in web.read(WEB)
    assert "lyon/l1" not in web.read(WEB)


def test_later_changes_of_the_same_lines_are_a_conflict(web: Desk) -> None:
    web.tnet("network", "add-node", "acme/web", "lyon/l1", by="dave")
    web.tnet("network", "reseal", "acme/web", by="dave")
    before = web.snapshot()
    said = web.tnet("rollback", "HEAD~1", by="dave", code=1)
    assert f"{WEB}: has changed since in the same place" in said.err
    assert "roll the later transactions back first" in said.err
    assert web.snapshot() == before


def test_nobody_takes_back_what_is_anothers(web: Desk) -> None:
    before = web.snapshot()
    said = web.tnet("rollback", "HEAD", by="erin", code=1)
    assert "erin (tenant globex) signed it, and it is for tenant acme to change" in said.err
    assert web.snapshot() == before


def test_what_was_rejected_is_cleared_away_by_anybody(web: Desk) -> None:
    effective = web.read(WEB)
    web.write(WEB, effective.replace("slot: 1", "slot: 2"))
    web.tnet("commit", "--force", by="erin")
    said = web.tnet("rollback", "HEAD", by="bob")
    assert "(not-authorized)" in said.out
    assert web.read(WEB) == effective
    assert "changes nothing in effect (repair)" in web.tnet("log", "-n", "1").out
    assert "nothing of" in web.tnet("rollback", "HEAD~1", by="dave", code=1).err


def test_the_policy_comes_back_under_the_next_version(desk: Desk) -> None:
    bob = (desk.keys / "bob.pub").read_text().rsplit(" ", 1)[0]
    changed = desk.read(POLICY).replace("version: 1", "version: 2").rstrip("\n")
    desk.write(POLICY, f"{changed}\n      - name: bob\n        keys:\n          - {bob}\n")
    desk.tnet("commit", by="alice")
    desk.tnet("rollback", "HEAD", by="alice")
    assert "version: 3" in desk.read(POLICY)
    assert "bob" not in desk.read(POLICY)
    assert desk.tnet("log", "-n", "1").out.startswith("accepted")


def test_the_beginning_and_what_is_no_transaction_are_refused(desk: Desk) -> None:
    first = desk.git("rev-list", "--max-parents=0", "HEAD")
    assert "the ledger begins there" in desk.tnet("rollback", first, by="alice", code=1).err
    said = desk.tnet("rollback", "nonsense", by="alice", code=1)
    assert re.search(r"nonsense: there is no such commit", said.err)
    desk.git("switch", "-qc", "topic")
    desk.tnet("network", "create", "acme/web", by="dave")
    topic = desk.git("rev-parse", "HEAD")
    desk.git("switch", "-q", "main")
    assert "is not a transaction" in desk.tnet("rollback", topic, by="dave", code=1).err


def test_options_are_not_taken_for_commits(desk: Desk) -> None:
    said = desk.tnet("rollback", "--key", str(desk.keys / "dave"), "--", "--all", code=64)
    assert "'--all' is not a commit" in said.err
