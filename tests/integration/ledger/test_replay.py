"""The ledger judged in a person's own clone: as nodes would, read only, with real git and ssh-keygen."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from reconciler.ledger.anchor import Anchor, AnchorUnknown, read_anchor, write_anchor
from reconciler.ledger.judging.proposal import File
from reconciler.ledger.replay import NotOnChain, Replay, replay
from reconciler.ledger.signatures import keys
from reconciler.ledger.trouble import AnchorRefused, CloneUnfit, UnknownProtocol
from reconciler.ledger.verdict import Reason
from tests.integration.ledger.world import (
    ALICE,
    DAVE,
    MALLORY,
    SHOP,
    WEB,
    World,
    network,
    policy,
    tenant,
)
from tests.unit.ledger.openssh import KeyPair, run

ACME = "tenants/ac/acme/tenant.yaml"


class PersonsClone:
    """An ordinary clone with a work tree, used by git as people do."""

    def __init__(self, world: World, path: Path) -> None:
        self.world = world
        self.path = path
        run("git", "clone", "-q", str(world.forge.path), path)
        self.git("config", "user.name", "Somebody")
        self.git("config", "user.email", "somebody@example.net")

    def git(self, *arguments: str) -> str:
        return run("git", "-C", self.path, *arguments).decode().strip()

    def write(self, path: str, data: bytes) -> None:
        file = self.path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)

    def replay(self, tip: str = "HEAD") -> Replay:
        return replay(self.path / ".git", self.world.anchor, tip)


@pytest.fixture
def clone(world: World) -> PersonsClone:
    return PersonsClone(world, world.directory / "clone")


def test_a_clone_says_what_a_node_says(world: World, clone: PersonsClone) -> None:
    world.forge.commit({WEB: network("web", 3)}, MALLORY)
    clone.git("pull", "-q")
    node, person = world.sync(), clone.replay().view
    assert person == node
    assert clone.replay().view == node, "from its chronicle"


def test_blobs_are_what_is_in_effect(world: World, clone: PersonsClone) -> None:
    good = world.forge.trees[world.forge.tip][WEB].data
    world.forge.commit({WEB: network("web", 3)}, MALLORY)
    clone.git("pull", "-q")
    judged = clone.replay()
    assert judged.blob(WEB) == good
    assert judged.blob("tenants/ac/acme/networks/none.yaml") is None


def test_work_signed_by_git_itself_is_judged_before_it_is_pushed(world: World, clone: PersonsClone) -> None:
    pair = KeyPair.make(world.directory, "ed25519")
    zoe = keys.from_text(pair.public_text)
    world.forge.commit({"trust/policy.yaml": _policy_with(zoe.text)}, ALICE)
    clone.git("pull", "-q")
    clone.git("config", "gpg.format", "ssh")
    clone.git("config", "user.signingkey", str(pair.path))
    clone.write("trust/policy.yaml", _policy_with(zoe.text).replace(b"version: 2", b"version: 3"))
    clone.git("commit", "-q", "-a", "-S", "-m", "Signed by git")
    clone.write(WEB, network("web", 3))
    clone.git("commit", "-q", "-a", "-m", "Forgotten to sign")
    after = clone.replay().since("origin/main")
    assert [verdict.reason for verdict in after] == [Reason.ACCEPTED, Reason.UNSIGNED]
    assert [str(signer) for signer in after[0].signers] == ["zoe (root)"]
    clone.git("push", "-q")
    assert world.codes(2) == ["accepted", "unsigned"]


def _policy_with(key: str) -> bytes:
    extra = f"      - name: zoe\n        keys:\n          - {key}\n"
    return policy(ALICE, version=2) + extra.encode()


def test_a_range_whose_base_is_elsewhere_says_rebase(world: World, clone: PersonsClone) -> None:
    clone.git("commit", "-q", "--allow-empty", "-m", "Mine")
    world.forge.commit({WEB: network("web", 3)}, DAVE)
    clone.git("fetch", "-q")
    with pytest.raises(NotOnChain) as raised:
        clone.replay().since("origin/main")
    assert "rebase" in raised.value.advice


# --- the work tree -----------------------------------------------------------------------------------


@pytest.mark.parametrize("signer", [None, DAVE])
def test_a_good_edit_of_the_work_tree(clone: PersonsClone, signer: object) -> None:
    clone.write(WEB, network("web", 3))
    clone.write("README", b"not ours")
    key = None if signer is None else DAVE.key
    verdict = clone.replay().check_worktree(clone.path, key)
    assert (verdict.reason, verdict.paths) == (Reason.ACCEPTED, (WEB,))


def test_an_edit_by_somebody_without_a_right_to_it(clone: PersonsClone) -> None:
    clone.write(WEB, network("web", 3))
    assert clone.replay().check_worktree(clone.path, MALLORY.key).reason is Reason.UNKNOWN_KEY


def test_new_staged_removed_linked_and_executable_files_are_seen(clone: PersonsClone) -> None:
    mail = "tenants/ac/acme/networks/mail.yaml"
    clone.write(mail, network("mail", 5))
    assert clone.replay().check_worktree(clone.path).paths == (mail,)
    clone.git("add", mail)
    (clone.path / WEB).unlink()
    verdict = clone.replay().check_worktree(clone.path)
    assert (verdict.reason, verdict.paths) == (Reason.ACCEPTED, (mail, WEB))
    (clone.path / WEB).symlink_to("/etc/passwd")
    assert clone.replay().check_worktree(clone.path).reason is Reason.WRONG_MODE
    (clone.path / WEB).unlink()
    clone.write(WEB, network("web", 3))
    (clone.path / WEB).chmod(0o755)
    assert clone.replay().check_worktree(clone.path).reason is Reason.WRONG_MODE


def test_what_is_wrong_is_said_with_its_place(clone: PersonsClone) -> None:
    clone.write(WEB, network("web", 3) + b"\nbad: 1\n")
    verdict = clone.replay().check_worktree(clone.path)
    assert verdict.reason is Reason.INVALID_DOCUMENT
    assert f"{WEB}:" in verdict.detail


def test_an_untouched_work_tree_is_void(clone: PersonsClone) -> None:
    assert clone.replay().check_worktree(clone.path).reason is Reason.VOID


def test_files_that_are_nowhere_yet_can_be_judged(clone: PersonsClone) -> None:
    check = clone.replay().check_files
    assert check({SHOP: File(network("shop", 3))}, DAVE.key).reason is Reason.NOT_AUTHORIZED
    assert check({WEB: None}, DAVE.key).reason is Reason.ACCEPTED
    assert check({ACME: File(tenant("acme", DAVE, proofs=()))}, DAVE.key).reason is Reason.PROOF_MISSING


def test_an_edit_on_top_of_refused_content_is_seen(world: World, clone: PersonsClone) -> None:
    good = (clone.path / WEB).read_bytes()
    world.forge.commit({WEB: network("web", 3)}, MALLORY)
    clone.git("pull", "-q")
    clone.write(WEB, network("web", 4))
    assert clone.replay().check_worktree(clone.path, DAVE.key).reason is Reason.BASED_ON_REJECTED
    clone.write(WEB, good)
    assert clone.replay().check_worktree(clone.path).reason is Reason.REPAIR


# --- clones of all kinds -----------------------------------------------------------------------------


def test_a_linked_work_tree(clone: PersonsClone) -> None:
    linked = clone.path.with_name("linked")
    clone.git("worktree", "add", "-q", str(linked), "-b", "side")
    git_dir = Path(run("git", "-C", linked, "rev-parse", "--absolute-git-dir").decode().strip())
    (linked / WEB).write_bytes(network("web", 3))
    judged = replay(git_dir, clone.world.anchor)
    assert judged.check_worktree(linked).reason is Reason.ACCEPTED


@pytest.mark.rule(21)
def test_a_shallow_clone_is_refused(world: World) -> None:
    path = world.directory / "shallow"
    run("git", "clone", "-q", "--depth=3", f"file://{world.forge.path}", path)
    with pytest.raises(CloneUnfit):
        replay(path / ".git", world.anchor)


def test_a_repository_that_is_no_ledger_is_refused(world: World) -> None:
    path = world.directory / "other"
    run("git", "init", "-q", path)
    run(
        "git",
        "-C",
        path,
        "-c",
        "user.name=x",
        "-c",
        "user.email=x",
        "commit",
        "-q",
        "--allow-empty",
        "-m",
        "x",
    )
    with pytest.raises(AnchorRefused):
        replay(path / ".git", world.anchor)


@pytest.mark.rule(14)
def test_a_later_protocol_is_said(world: World, clone: PersonsClone) -> None:
    world.forge.commit({"trust/policy.yaml": policy(ALICE, version=2, protocol=7)}, ALICE)
    clone.git("pull", "-q")
    with pytest.raises(UnknownProtocol, match="protocol 7"):
        clone.replay()


def test_a_clone_that_cannot_be_written_is_judged_all_the_same(clone: PersonsClone) -> None:
    (clone.path / ".git" / "tnet").write_text("in the way")
    assert clone.replay().view.verdicts


@pytest.mark.rule(21)
def test_replaced_objects_change_nothing(world: World, clone: PersonsClone) -> None:
    clone.git("replace", "HEAD~1", "HEAD~2")
    assert clone.replay().view == world.sync()


# --- the anchor --------------------------------------------------------------------------------------


def test_the_anchor_is_kept_in_the_clones_config(world: World, clone: PersonsClone) -> None:
    with pytest.raises(AnchorUnknown):
        read_anchor(clone.path)
    both = Anchor(world.anchor.commit, frozenset({ALICE.key.fingerprint, DAVE.key.fingerprint}))
    write_anchor(clone.path, both)
    write_anchor(clone.path, both)
    assert read_anchor(clone.path) == both
    assert clone.git("config", "tnet.anchor") == world.anchor.commit


@pytest.mark.parametrize(
    ("commit", "fingerprints"),
    [("main", {"SHA256:" + "A" * 43}), ("a" * 40, set()), ("a" * 40, {"MD5:12"})],
)
def test_an_anchor_is_a_full_id_and_fingerprints(commit: str, fingerprints: set[str]) -> None:
    with pytest.raises(AnchorUnknown):
        Anchor(commit, frozenset(fingerprints))  # type: ignore[arg-type]


def test_no_repository_no_anchor(tmp_path: Path) -> None:
    with pytest.raises(AnchorUnknown):
        read_anchor(tmp_path)


def test_the_chronicle_follows_a_branch_that_changes(world: World, clone: PersonsClone) -> None:
    for number in range(3):
        clone.write("README", b"%d" % number)
        clone.git("add", "README")
        clone.git("commit", "-q", "-m", "Draft")
        drafted = clone.replay().view
        assert drafted.verdicts[-1].reason is Reason.VOID
        assert clone.replay().view == drafted
        clone.git("reset", "-q", "--hard", "HEAD~1")
        assert clone.replay().view == world.sync()
    with pytest.raises(subprocess.CalledProcessError):
        clone.git("rev-parse", "--verify", "refs/tnet/effective")
