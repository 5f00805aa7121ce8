"""Checkpoints and re-anchor records as people and a witness machine make them, and real nodes take them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.agent.report import Report, to_status
from reconciler.agent.status import Condition, Status
from reconciler.ledger.anchor import read_anchor
from reconciler.ledger.config import LedgerConfig
from reconciler.ledger.ledger import Ledger
from reconciler.ledger.verdict import Reason
from reconciler.ledger.view import AlarmKind, LedgerView
from tests.integration.authoring.desk import Desk, git, make_key

BRANCH = "tnet-checkpoints"


class Farm:
    """A desk with a forge behind it, a witness whom the policy names, and nodes that follow the forge."""

    def __init__(self, desk: Desk, directory: Path) -> None:
        self.desk = desk
        self.forge = directory / "forge.git"
        self._directory = directory
        make_key(desk.keys / "wendy")
        named = (desk.keys / "wendy.pub").read_text().rsplit(" ", 1)[0]
        policy = desk.read("trust/policy.yaml").replace("version: 1", "version: 2")
        witness = f"  witness:\n    principals:\n      - name: wendy\n        keys:\n          - {named}\n"
        desk.write("trust/policy.yaml", policy + witness)
        desk.tnet("commit", by="alice")
        git(directory, "init", "-q", "--bare", "--initial-branch=main", str(self.forge))
        desk.git("remote", "add", "origin", str(self.forge))
        self.push()

    def push(self, *options: str) -> None:
        self.desk.git("push", "-q", *options, "origin", "HEAD:main")

    def buy(self, network: str) -> str:
        self.desk.tnet("network", "create", f"acme/{network}", "--node", "paris/p1", by="dave")
        return self.desk.git("rev-parse", "HEAD")

    def node(self, name: str) -> Ledger:
        anchor = read_anchor(self.desk.root)
        return Ledger(
            LedgerConfig(
                remote=str(self.forge),
                branch="main",
                anchor=anchor.commit,
                root_fingerprints=anchor.root_fingerprints,
                directory=self._directory / name,
                checkpoints=BRANCH,
            )
        )

    def sync(self, name: str) -> LedgerView:
        ledger = self.node(name)
        try:
            return ledger.sync()
        finally:
            ledger.close()


@pytest.fixture
def farm(desk: Desk, tmp_path: Path) -> Iterator[Farm]:
    yield Farm(desk, tmp_path)


def nothing(desk: Desk) -> None:
    """A commit that touches nothing."""
    who = ("-c", "user.name=x", "-c", "user.email=x@example.net")
    desk.git(*who, "commit", "-q", "--allow-empty", "--no-gpg-sign", "-m", "nothing")


def shown(view: LedgerView, time: str) -> Status:
    return to_status(Report("paris/p1", view=view, unknown_node=True), pid=1, time=time, passes=1)


def fresh(status: Status) -> Condition:
    return next(condition for condition in status.node_conditions if condition.type == "Fresh")


# --- a witness machine -------------------------------------------------------------------------------


@pytest.mark.rule(18)
def test_a_witness_machine_tells_nodes_how_fresh_they_are(farm: Farm) -> None:
    """The whole way: signed and pushed by the verb, fetched and believed by a node, told in its status."""
    before = shown(farm.sync("p1"), "2026-01-01T00:00:00Z")
    assert (fresh(before).status, fresh(before).reason) == (False, "NeverWitnessed")
    said = farm.desk.tnet("checkpoint", "witness", "--push", "--valid-hours", "2", "-o", "json", by="wendy")
    assert (said.json["kind"], said.json["sequence"], said.json["missing"]) == ("witness", 1, 0)
    view = farm.sync("p1")
    assert view.alarm is None
    assert view.checkpoints.notes == ()
    now = shown(view, said.json["issued"])
    assert (fresh(now).status, fresh(now).reason) == (True, "Witnessed")
    assert now.witness is not None
    assert (now.witness.age_seconds, now.witness.stale, now.witness.signers) == (0, False, ("wendy",))
    later = shown(view, "2099-01-01T00:00:00Z")
    assert (fresh(later).status, fresh(later).reason) == (False, "Stale")
    assert later.witness is not None
    assert later.witness.stale


@pytest.mark.rule(18)
def test_sequences_go_up_by_themselves_on_any_machine(farm: Farm) -> None:
    farm.desk.tnet("checkpoint", "witness", "--push", by="wendy")
    farm.desk.git("fetch", "-q", "origin")
    farm.desk.git("branch", "-q", "-D", BRANCH)
    assert farm.desk.tnet("checkpoint", "witness", "-o", "json", by="wendy").json["sequence"] == 2
    assert farm.desk.tnet("checkpoint", "witness", "-o", "json", by="wendy").json["sequence"] == 3
    assert farm.desk.git("rev-list", "--count", BRANCH) == "1", "the branch doesn't grow"


def test_who_is_no_witness_is_told_so(farm: Farm) -> None:
    said = farm.desk.tnet("checkpoint", "witness", by="alice", code=1)
    assert "nobody's of the witnesses" in said.err
    assert farm.desk.git("branch", "--list", BRANCH) == ""


def test_where_no_witness_is_named_root_is_told_how(desk: Desk) -> None:
    said = desk.tnet("checkpoint", "witness", by="alice", code=1)
    assert "spec of trust/policy.yaml" in said.err


@pytest.mark.rule(15)
def test_a_witness_machine_does_not_witness_a_branch_that_was_set_back(farm: Farm) -> None:
    farm.buy("web")
    farm.desk.tnet("checkpoint", "witness", by="wendy")
    farm.desk.git("reset", "-q", "--hard", "HEAD~1")
    said = farm.desk.tnet("checkpoint", "witness", by="wendy", code=1)
    assert "rewritten" in said.err


@pytest.mark.rule(16)
def test_only_the_mark_is_witnessed(farm: Farm) -> None:
    """What comes after it anybody may drop from the branch."""
    mark = farm.desk.git("rev-parse", "HEAD")
    nothing(farm.desk)
    assert farm.desk.tnet("checkpoint", "witness", "-o", "json", by="wendy").json["commit"] == mark


def test_somebody_who_was_faster_is_not_overwritten(farm: Farm) -> None:
    farm.desk.tnet("checkpoint", "witness", "--push", by="wendy")
    farm.desk.git("update-ref", "-d", f"refs/remotes/origin/{BRANCH}")
    said = farm.desk.tnet("checkpoint", "witness", "--push", by="wendy", code=1)
    assert "git fetch origin" in said.err


# --- snapshots ---------------------------------------------------------------------------------------


@pytest.mark.rule(18)
def test_a_new_node_begins_at_roots_snapshot(farm: Farm) -> None:
    farm.buy("web")
    farm.push()
    full = farm.sync("p1")
    said = farm.desk.tnet("checkpoint", "snapshot", "--push", "-o", "json", by="alice")
    farm.buy("mail")
    farm.push()
    begun, full = farm.sync("p2"), farm.sync("p1")
    assert begun.verdicts[0].reason is Reason.SNAPSHOT
    assert begun.checkpoints.begun_at == said.json["position"]
    assert (begun.state_hash, begun.model, begun.mark) == (full.state_hash, full.model, full.mark)
    assert shown(begun, "2026-01-01T00:00:00Z").begun_at == said.json["position"]


def test_a_witness_keeps_the_snapshot_on_the_branch_and_the_other_way_round(farm: Farm) -> None:
    farm.desk.tnet("checkpoint", "snapshot", by="alice")
    farm.desk.tnet("checkpoint", "witness", by="wendy")
    farm.buy("web")
    farm.desk.tnet("checkpoint", "snapshot", "--push", by="alice")
    files = farm.desk.git("ls-tree", "--name-only", BRANCH).split()
    assert files == ["snapshot", "state", "witness"]
    found = farm.desk.tnet("checkpoint", "verify", "-o", "json").json
    assert [(each["kind"], each["sequence"], each["trouble"]) for each in found] == [
        ("witness", 1, ""),
        ("snapshot", 2, ""),
    ]


def test_nothing_new_makes_no_new_snapshot(farm: Farm) -> None:
    farm.desk.tnet("checkpoint", "snapshot", by="alice")
    assert "already" in farm.desk.tnet("checkpoint", "snapshot", by="alice", code=1).err


@pytest.fixture
def two_roots(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Farm]:
    """A ledger that Alice and Chloe rule together, with nothing in it."""
    keys = desk.keys
    roots = ("--root", f"alice={keys}/alice.pub", "--root", f"chloe={keys}/chloe.pub", "--threshold", "2")
    desk.tnet("init", str(tmp_path / "both"), *roots, by="alice")
    desk.go(tmp_path / "both")
    made = Farm.__new__(Farm)
    made.desk, made.forge, made._directory = desk, tmp_path / "forge.git", tmp_path
    git(tmp_path, "init", "-q", "--bare", "--initial-branch=main", str(made.forge))
    desk.git("remote", "add", "origin", str(made.forge))
    nothing(desk)
    desk.tnet("farm", "add", "paris", "--farmer", f"bob={keys}/bob.pub", "--force", by="alice")
    head = desk.git("rev-parse", "HEAD")
    desk.git("reset", "-q", "--hard", "HEAD~1")
    desk.git(
        *("-c", "gpg.format=ssh", "-c", f"user.signingkey={keys}/chloe"),
        *("-c", "user.name=chloe", "-c", "user.email=c@example.net"),
        *("merge", "-q", "--no-ff", "-S", "-m", "Merge", head),
    )
    made.push()
    yield made


@pytest.mark.rule(18)
def test_a_snapshot_waits_until_enough_of_root_have_signed(two_roots: Farm) -> None:
    desk = two_roots.desk
    assert "1 more must sign" in desk.tnet("checkpoint", "snapshot", by="alice").out
    assert desk.git("ls-tree", "--name-only", BRANCH).split() == ["snapshot.draft", "state.draft"]
    assert "adds nothing" in desk.tnet("checkpoint", "sign", "snapshot", by="alice", code=1).err
    assert "adds nothing" in desk.tnet("checkpoint", "sign", "snapshot", by="bob", code=1).err
    said = desk.tnet("checkpoint", "sign", "snapshot", "--push", "-o", "json", by="chloe").json
    assert (said["signers"], said["missing"]) == (["alice", "chloe"], 0)
    assert desk.git("ls-tree", "--name-only", BRANCH).split() == ["snapshot", "state"]
    assert two_roots.sync("p1").verdicts[0].reason is Reason.SNAPSHOT
    assert "waits for a signature" in desk.tnet("checkpoint", "sign", "snapshot", by="chloe", code=1).err


# --- looking -----------------------------------------------------------------------------------------


def test_show_and_verify_say_what_lies_there_and_whether_it_is_true(farm: Farm) -> None:
    assert "there is no checkpoint" in farm.desk.tnet("checkpoint", "show").out
    farm.desk.tnet("checkpoint", "verify", code=1)
    farm.desk.tnet("checkpoint", "witness", by="wendy")
    head = farm.desk.git("rev-parse", "HEAD")
    assert head[:12] in farm.desk.tnet("checkpoint", "show").out
    assert "signed by wendy (witness)" in farm.desk.tnet("checkpoint", "verify", "--fresh").out
    data = farm.desk.git("show", f"{BRANCH}:witness")
    lie = farm.desk.keys / "lie"
    lie.write_text(data.replace("position: ", "position: 1") + "\n")
    said = farm.desk.tnet("checkpoint", "verify", str(lie), code=1)
    assert "NOT GOOD" in said.out
    rubbish = farm.desk.keys / "rubbish"
    rubbish.write_text("rubbish")
    assert "no checkpoint" in farm.desk.tnet("checkpoint", "verify", str(rubbish), code=1).out


def test_an_expired_witness_fails_where_a_fresh_one_is_asked_for(farm: Farm) -> None:
    farm.desk.tnet("checkpoint", "witness", "--valid-hours", "0.0000001", by="wendy")
    assert "EXPIRED" in farm.desk.tnet("checkpoint", "verify").out
    farm.desk.tnet("checkpoint", "verify", "--fresh", code=1)


# --- off a fork --------------------------------------------------------------------------------------


def forked(farm: Farm) -> tuple[str, str]:
    """A node has accepted the first; then the branch was rewritten and leads to the second."""
    old = farm.buy("web")
    farm.push()
    farm.sync("p1")
    farm.desk.git("reset", "-q", "--hard", "HEAD~1")
    new = farm.buy("mail")
    farm.push("--force")
    return old, new


@pytest.mark.rule(17)
def test_root_leads_nodes_and_people_off_a_fork(farm: Farm, tmp_path: Path) -> None:
    old, new = forked(farm)
    alarm = farm.sync("p1").alarm
    assert alarm is not None
    assert alarm.kind is AlarmKind.REWRITTEN
    file = tmp_path / "fork.reanchor"
    said = farm.desk.tnet("reanchor", "create", str(file), "--old", old, "--new", "HEAD", by="alice")
    assert f"tnet node reanchor {file.name}" in said.out
    assert "comes to the same" in farm.desk.tnet("reanchor", "show", str(file)).out
    config = node_config(farm, tmp_path, "p1")
    assert new[:12] in farm.desk.tnet("node", "reanchor", str(file), "--config", str(config)).out
    view = farm.sync("p1")
    assert (view.alarm, view.mark) == (None, new)
    again = farm.desk.tnet("node", "reanchor", str(file), "--config", str(config), code=1)
    assert "not newer" in again.err


def node_config(farm: Farm, directory: Path, node: str) -> Path:
    anchor = read_anchor(farm.desk.root)
    config = directory / f"{node}.yaml"
    farm.desk.tnet(
        *("node", "config", f"paris/{node}", "--remote", str(farm.forge), "--anchor", anchor.commit),
        *(word for key in anchor.root_fingerprints for word in ("--root-key", key)),
        *("--state-dir", str(directory / node), "--run-dir", str(directory / "run")),
        *("--checkpoints", BRANCH, "--file", str(config)),
    )
    assert f"checkpoints: {BRANCH}" in config.read_text()
    return config


@pytest.mark.rule(17)
def test_a_persons_clone_on_the_left_side_is_not_worked_on(farm: Farm, tmp_path: Path) -> None:
    old, new = forked(farm)
    file = tmp_path / "fork.reanchor"
    farm.desk.tnet("reanchor", "create", str(file), "--old", old, "--new", new, by="alice")
    assert f"goes on at {new[:12]}" in farm.desk.tnet("trust", "--reanchor", str(file)).out
    farm.desk.git("reset", "-q", "--hard", old)
    said = farm.desk.tnet("network", "create", "acme/more", "--node", "paris/p1", by="dave", code=1)
    assert "git reset --keep origin/main" in said.err
    farm.desk.git("reset", "-q", "--hard", new)
    farm.buy("more")


@pytest.mark.rule(17)
def test_a_witness_machine_goes_on_after_a_fork_that_root_has_left(farm: Farm, tmp_path: Path) -> None:
    old = farm.buy("web")
    farm.desk.tnet("checkpoint", "witness", by="wendy")
    farm.desk.git("reset", "-q", "--hard", "HEAD~1")
    new = farm.buy("mail")
    assert "tnet reanchor" in farm.desk.tnet("checkpoint", "witness", by="wendy", code=1).err
    file = tmp_path / "fork.reanchor"
    farm.desk.tnet("reanchor", "create", str(file), "--old", old, "--new", new, by="alice")
    farm.desk.tnet("trust", "--reanchor", str(file))
    assert farm.desk.tnet("checkpoint", "witness", "-o", "json", by="wendy").json["sequence"] == 2


@pytest.mark.rule(17)
def test_a_record_by_somebody_else_is_believed_by_nobody(farm: Farm, tmp_path: Path) -> None:
    old, new = forked(farm)
    file = tmp_path / "fork.reanchor"
    said = farm.desk.tnet("reanchor", "create", str(file), "--old", old, "--new", new, by="dave", code=1)
    assert "no root's" in said.err
    assert not file.exists()
    farm.desk.tnet("reanchor", "create", str(file), "--old", old, "--new", new, by="alice")
    file.write_text(file.read_text().replace(new, old))
    assert "this clone comes to" in farm.desk.tnet("trust", "--reanchor", str(file), code=1).err
    file.write_text(file.read_text().replace(f"old: {old}", f"old: {'1' * 40}").replace(old, new))
    assert "is refused" in farm.desk.tnet("trust", "--reanchor", str(file), code=1).err
    assert "tnet.reanchor" not in farm.desk.git("config", "--list", "--name-only").splitlines()


@pytest.mark.rule(17)
def test_a_root_key_that_was_taken_away_leads_nobody_back(farm: Farm, tmp_path: Path) -> None:
    """A fork from before the revocation, on which the stolen key is root still, and a record signed by it."""
    desk, keys = farm.desk, farm.desk.keys
    alice, erin = ((keys / f"{name}.pub").read_text().rsplit(" ", 1)[0] for name in ("alice", "erin"))
    before = desk.git("rev-parse", "HEAD")
    policy = desk.read("trust/policy.yaml")
    line = next(line for line in policy.splitlines(keepends=True) if alice in line)
    both = policy.replace(line, line + line.replace(alice, erin)).replace("version: 2", "version: 3")
    desk.write("trust/policy.yaml", both)
    desk.tnet("commit", by="alice")
    desk.write("trust/policy.yaml", both.replace(line, "").replace("version: 3", "version: 4"))
    desk.tnet("commit", by="erin")
    safe = desk.git("rev-parse", "HEAD")
    desk.git("reset", "-q", "--hard", before)
    evil = farm.buy("web")
    file = tmp_path / "evil.reanchor"
    desk.tnet("reanchor", "create", str(file), "--old", "1" * 40, "--new", evil, by="alice")
    desk.git("reset", "-q", "--hard", safe)
    assert "signed by nobody of root" in desk.tnet("trust", "--reanchor", str(file), code=1).err


@pytest.mark.rule(17)
def test_two_roots_sign_one_record(two_roots: Farm, tmp_path: Path) -> None:
    desk = two_roots.desk
    new = desk.git("rev-parse", "HEAD")
    file = tmp_path / "fork.reanchor"
    said = desk.tnet("reanchor", "create", str(file), "--old", "1" * 40, "--new", new, by="alice")
    assert "let another root sign it" in said.out
    assert not desk.tnet("reanchor", "show", str(file), "-o", "json").json["complete"]
    assert "signed already" in desk.tnet("reanchor", "sign", str(file), by="alice", code=1).err
    assert desk.tnet("reanchor", "sign", str(file), "-o", "json", by="chloe").json["complete"]
    said = desk.tnet("reanchor", "show", str(file), "-o", "json")
    assert json.loads(said.out)["signers"] == ["alice", "chloe"]


def test_there_is_no_fork_between_a_commit_and_what_is_behind_it(farm: Farm, tmp_path: Path) -> None:
    new = farm.desk.git("rev-parse", "HEAD")
    old = farm.buy("web")
    file = tmp_path / "fork.reanchor"
    said = farm.desk.tnet("reanchor", "create", str(file), "--old", old, "--new", new, by="alice", code=1)
    assert "no fork" in said.err
