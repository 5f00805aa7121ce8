"""The hook in a server's repository: put there, kept, taken away; what it takes and refuses; how it fails."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
from pathlib import Path

import pytest

from reconciler.cli.main import main
from reconciler.ledger.repository.objects import CommitId
from tests.integration.forge.bomb import bomb
from tests.integration.forge.place import Place
from tests.integration.ledger.world import DAVE, ERIN, MALLORY, SHOP, WEB, network


def hook(place: Place) -> Path:
    return place.server / "hooks" / "pre-receive"


def status(place: Place, capsys: pytest.CaptureFixture[str], code: int = 0) -> dict[str, object]:
    capsys.readouterr()
    assert main(["server-hook", "status", str(place.server), "-o", "json"]) == code
    told: dict[str, object] = json.loads(capsys.readouterr().out)
    return told


def moved(slot: int) -> bytes:
    return network("web", 1, [("paris/p1", 1, slot)])


# --- installed, and taken away ------------------------------------------------------------------------------


def test_installing_again_changes_nothing(place: Place) -> None:
    before = hook(place).read_bytes(), sorted(place.git("config", "--local", "--list").splitlines())
    place.install()
    after = hook(place).read_bytes(), sorted(place.git("config", "--local", "--list").splitlines())
    assert after == before


def test_uninstalling_gives_back_what_was_there(place: Place) -> None:
    place.git("config", "receive.fsckObjects", "false")
    place.git("config", "--unset", "receive.shallowUpdate")
    place.install()
    assert place.git("config", "receive.fsckObjects") == "true"
    assert main(["server-hook", "uninstall", str(place.server)]) == 0
    assert not hook(place).exists()
    assert "shallowupdate" not in place.git("config", "--local", "--list")
    assert place.push(f"+{place.world.anchor.commit}:refs/heads/main").ok


def test_another_hook_is_kept_called_and_given_back(place: Place, tmp_path: Path) -> None:
    assert main(["server-hook", "uninstall", str(place.server)]) == 0
    seen = tmp_path / "seen"
    own = f'#!/bin/sh\ncat >> "{seen}"\ngrep -q refs/heads/forbidden "{seen}" && exit 1\nexit 0\n'
    hook(place).write_text(own)
    hook(place).chmod(0o755)
    place.install()
    place.install()
    forge = place.world.forge
    tip = forge.branch({WEB: moved(5)}, DAVE, forge.tip)
    assert place.push_main(tip).ok
    assert seen.read_text() == f"{forge.tip} {tip} refs/heads/main\n"
    assert not place.push_main(forge.branch({SHOP: None}, DAVE, tip)).ok
    assert seen.read_text().count("\n") == 1, "what we refuse doesn't reach the other hook"
    assert not place.push(f"{tip}:refs/heads/forbidden").ok
    assert main(["server-hook", "uninstall", str(place.server)]) == 0
    assert hook(place).read_text() == own


def test_a_forge_that_calls_a_directory_of_hooks_keeps_its_own(place: Place) -> None:
    assert main(["server-hook", "uninstall", str(place.server)]) == 0
    own = '#!/bin/sh\nupdates=$(cat)\nfor each in "$GIT_DIR"/hooks/pre-receive.d/*; do\n'
    own += '    printf "%s\\n" "$updates" | "$each" || exit 1\ndone\n'
    hook(place).write_text(own)
    hook(place).chmod(0o755)
    (place.server / "hooks" / "pre-receive.d").mkdir()
    place.install()
    assert hook(place).read_text() == own
    assert not place.push_main(place.world.forge.branch({SHOP: None}, DAVE, place.world.forge.tip)).ok


def test_a_hook_over_ours_is_not_lost(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    (place.server / "hooks" / "pre-receive.before-tnet").write_text("first\n")
    hook(place).write_text("second\n")
    with pytest.raises(AssertionError):
        place.install()
    assert "another's hook" in capsys.readouterr().err
    assert hook(place).read_text() == "second\n"


def test_hooks_that_repositories_share_are_left_alone(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place.git("config", "core.hooksPath", str(tmp_path))
    with pytest.raises(AssertionError):
        place.install()
    assert "core.hooksPath" in capsys.readouterr().err


def test_another_ledgers_anchor_is_refused(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["server-hook", "install", str(place.server), "--anchor", place.world.forge.tip]
    assert main([*words, "--root-key", MALLORY.key.fingerprint]) == 1
    assert "root keys" in capsys.readouterr().err
    assert place.git("config", "tnet.anchor") == place.world.anchor.commit


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a repository away")
@pytest.mark.parametrize("verb", ["install", "status", "uninstall"])
def test_in_somebody_elses_repository_it_says_whose_it_is(
    place: Place, verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    os.chown(place.server, 4321, 4321)
    assert main(["server-hook", verb, str(place.server)]) == 1
    assert "belongs to #4321" in capsys.readouterr().err


def test_status_says_what_is_missing(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert status(place, capsys)["transactions"] == 7
    place.git("config", "receive.fsckObjects", "false")
    assert status(place, capsys, code=1)["missing"] == ["receive.fsckObjects true"]
    place.git("config", "receive.fsckObjects", "yes")
    hook(place).chmod(0o644)
    assert status(place, capsys, code=1)["in_force"] is False


# --- what it takes ------------------------------------------------------------------------------------------


def test_the_first_push_has_to_lead_to_the_anchor(place: Place) -> None:
    place.git("update-ref", "-d", "refs/heads/main")
    forge = place.world.forge
    stranger = forge.commit({"notes": b"x"}, MALLORY, parents=[], push=False)
    assert "does not lead to the anchor" in place.push_main(stranger).told
    assert place.push_main(forge.tip).ok


def test_many_rejected_commits_are_told_one_by_one_up_to_a_bound(place: Place) -> None:
    tip = place.world.forge.tip
    for slot in range(30):
        tip = place.world.forge.branch({WEB: moved(5 + slot)}, MALLORY, tip)
    told = place.push_main(tip).told
    assert "nodes would reject 20 or more of 30 transactions" in told
    assert told.count("REJECTED") == 20


def test_a_request_for_a_refused_change_and_other_names_are_free(place: Place) -> None:
    forge = place.world.forge
    wrong = forge.branch({SHOP: None}, MALLORY, forge.tip)
    assert place.push(f"{wrong}:refs/heads/topic", f"{wrong}:refs/tags/v1").ok
    assert place.push(f"+{forge.tip}:refs/heads/topic", ":refs/tags/v1").ok


@pytest.mark.parametrize("ref", ["refs/replace/{tip}", "refs/tnet/effective"])
def test_what_would_bend_history_is_refused(place: Place, ref: str) -> None:
    tip = place.world.forge.tip
    assert "nothing is taken under this name" in place.push(f"{tip}:{ref.format(tip=tip)}").told


def test_an_alias_of_the_ledgers_branch_is_no_way_around(place: Place) -> None:
    place.git("symbolic-ref", "refs/heads/alias", "refs/heads/main")
    forge = place.world.forge
    before = place.main
    pushed = place.push(f"{forge.branch({SHOP: None}, MALLORY, forge.tip)}:refs/heads/alias")
    assert "not-authorized" in pushed.told or "unknown-key" in pushed.told
    assert not pushed.ok
    assert place.main == before


def test_one_bad_ref_refuses_the_whole_push(place: Place) -> None:
    forge = place.world.forge
    good = forge.branch({WEB: moved(5)}, DAVE, forge.tip)
    assert not place.push(f"{good}:refs/heads/main", f"{good}:refs/replace/{good}").ok
    assert place.main == forge.tip


def test_branches_may_be_held_to_signed_changes(place: Place) -> None:
    place.install("--signed-only")
    forge = place.world.forge
    signed = forge.branch({WEB: moved(5)}, DAVE, forge.tip)
    assert place.push(f"{signed}:refs/heads/topic").ok
    other = forge.branch({SHOP: None}, ERIN, forge.tip)
    one_side = forge.commit({}, parents=[signed, other], push=False)
    assert place.push(f"{one_side}:refs/heads/merged").ok, "an unsigned merge that makes nothing itself"
    for commit in (
        forge.branch({WEB: moved(6)}, None, signed),
        forge.branch({WEB: moved(6)}, MALLORY, signed),
        forge.commit({WEB: moved(6)}, parents=[signed, other], push=False),
    ):
        told = place.push(f"{commit}:refs/heads/topic").told
        assert "changes what the ledger rules" in told
    assert place.push(f"{forge.branch({'notes': b'x'}, None, signed)}:refs/heads/topic").ok


def test_trees_without_end_are_refused_wherever_they_are_looked_at(place: Place) -> None:
    forge = place.world.forge
    endless = bomb(forge, forge.tip, DAVE, "tenants")
    assert "too-many-paths" in place.push_main(endless).told
    place.install("--signed-only")
    assert "more than can be looked at" in place.push(f"{endless}:refs/heads/topic").told


# --- how it fails -------------------------------------------------------------------------------------------


def refused(place: Place, words: str) -> None:
    forge, before = place.world.forge, place.main
    pushed = place.push_main(forge.branch({WEB: moved(5)}, DAVE, CommitId(before)))
    assert not pushed.ok
    assert words in pushed.told
    assert place.main == before


def test_work_that_takes_too_long_is_refused(place: Place) -> None:
    """Somebody holds the chronicle for ever, and it has to be written."""
    place.install("--deadline", "1")
    chronicle = place.server / "tnet" / "chronicle.jsonl"
    chronicle.unlink()
    with chronicle.open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        refused(place, "it took longer than 1 s")


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (lambda place: place.git("config", "--unset", "tnet.anchor"), "has no anchor"),
        (lambda place: place.git("config", "tnet.deadlineSeconds", "soon"), "can't be judged"),
        (lambda place: place.program.unlink(), "not found"),
        (lambda place: place.program.write_text("#!/bin/sh\nkill -9 $$\n"), "pre-receive hook declined"),
        (lambda place: (place.server / "shallow").write_text(place.main + "\n"), "shallow"),
    ],
)
def test_whatever_goes_wrong_the_push_is_refused(place: Place, break_it: object, words: str) -> None:
    assert callable(break_it)
    break_it(place)
    refused(place, words)


def test_a_damaged_chronicle_is_no_trouble(place: Place) -> None:
    place.install()
    chronicle = place.server / "tnet" / "chronicle.jsonl"
    assert chronicle.stat().st_size
    chronicle.write_bytes(b"\0garbage\n" * 100)
    forge = place.world.forge
    assert place.push_main(forge.branch({WEB: moved(5)}, DAVE, forge.tip)).ok


def test_what_is_refused_leaves_no_object_behind(place: Place) -> None:
    forge = place.world.forge
    bad = forge.branch({SHOP: None, "notes": os.urandom(100_000)}, MALLORY, forge.tip)
    assert not place.push_main(bad).ok
    command = ["git", f"--git-dir={place.server}", "cat-file", "-e", bad]
    assert subprocess.run(command, stderr=subprocess.DEVNULL).returncode != 0


def test_called_by_hand_with_nonsense_it_says_so(
    place: Place, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    done = subprocess.run(
        [str(place.program), "server-hook", "run"],
        input="nonsense\n",
        capture_output=True,
        text=True,
        env={**os.environ, "GIT_DIR": str(place.server)},
    )
    assert done.returncode == 1
    assert "this is for git to call" in done.stderr
