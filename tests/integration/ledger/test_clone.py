"""Bad days of a clone: the last good state is kept, and what can be mended is mended."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.ledger.chain import clone
from reconciler.ledger.ledger import Ledger
from reconciler.ledger.trouble import (
    CloneCorrupted,
    CloneUnfit,
    DiskFull,
    LocalTrouble,
    ObjectsRefused,
    RemoteTimeout,
    RemoteUnreachable,
)
from tests.integration.ledger.world import DAVE, ERIN, MALLORY, SHOP, WEB, Blob, World, network, signed


def clone_of(world: World) -> Path:
    return world.directory / "node" / "ledger.git"


def assert_kept(world: World, ledger: Ledger | None = None) -> None:
    """What was in effect still is, for this process and for the next."""
    good = world.new_ledger("reference").judge_local()
    for each in (ledger or world.ledger, world.new_ledger("node")):
        view = each.judge_local()
        assert (view.state_hash, view.mark) == (good.state_hash, good.mark)


@pytest.fixture
def good(world: World) -> World:
    """The world with a second node that remembers how it was."""
    world.new_ledger("reference").sync()
    return world


# --- the remote --------------------------------------------------------------------------------------


def test_a_remote_that_is_gone(good: World) -> None:
    good.forge.path.rename(good.directory / "away")
    with pytest.raises(RemoteUnreachable):
        good.sync()
    assert_kept(good)
    (good.directory / "away").rename(good.forge.path)
    good.forge.commit({WEB: network("web", 3)}, DAVE)
    assert good.codes() == ["accepted"]


def test_a_branch_that_is_gone(good: World) -> None:
    (good.forge.path / "refs" / "heads" / "main").unlink()
    with pytest.raises(RemoteUnreachable, match="no branch main"):
        good.sync()
    assert_kept(good)


def test_a_remote_that_hangs_is_given_up(good: World) -> None:
    ledger = good.new_ledger(
        "node", remote="ssh://host/ledger", ssh_command="sh -c 'exec sleep 60'", fetch_timeout_s=0.5
    )
    with pytest.raises(RemoteTimeout):
        ledger.sync()
    assert_kept(good)


def test_a_remote_that_sends_garbage(good: World) -> None:
    ledger = good.new_ledger("node", remote="ssh://host/ledger", ssh_command="sh -c 'head -c 5000 /dev/zero'")
    with pytest.raises(RemoteUnreachable):
        ledger.sync()
    assert_kept(good)


@pytest.mark.parametrize(
    "remote", ["ext::sh -c true", "http://127.0.0.1:1/x", "--upload-pack=touch /tmp/x", "git://127.0.0.1/x"]
)
def test_other_ways_to_a_remote_are_refused(good: World, remote: str) -> None:
    with pytest.raises(RemoteUnreachable):
        good.new_ledger("node", remote=remote).sync()


def test_a_password_in_the_remote_is_not_shown(good: World) -> None:
    with pytest.raises(RemoteUnreachable) as raised:
        good.new_ledger("node", remote="https://node:secret@127.0.0.1:1/x").sync()
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("says", "shown"),
    [
        ("Connection timed out\\n", "Connection timed out"),
        ("", "Could not read from remote repository"),
        ("\\033]0;owned\\007\\033[2J\\r\\n", r"\\x1b\]0;owned\\x07\\x1b\[2J"),
    ],
)
def test_what_a_remote_says_is_told_in_one_line_fit_for_a_terminal(
    good: World, says: str, shown: str
) -> None:
    command = f"sh -c \"printf '{says}' >&2; exit 255\""
    ledger = good.new_ledger("node", remote="ssh://host/ledger", ssh_command=command)
    with pytest.raises(RemoteUnreachable, match=shown) as raised:
        ledger.sync()
    assert str(raised.value).isprintable()


def test_a_clone_that_cannot_be_tidied_is_no_reason_to_stand_still(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clone, "_TIDY_CONFIG", ("gc.auto=nonsense",))
    assert world.new_ledger("node").sync().tip == world.forge.tip


def test_ssh(good: World) -> None:
    """The command takes the place of ssh: host, then what git wants run there."""
    wrapper = good.directory / "ssh"
    wrapper.write_text('#!/bin/sh\necho "$@" >> "$0.log"\nshift $(($# - 1))\nexec sh -c "$1"\n')
    wrapper.chmod(0o755)
    ledger = good.new_ledger("over-ssh", remote=f"ssh://node@host{good.forge.path}", ssh_command=str(wrapper))
    assert ledger.sync().state_hash == good.sync().state_hash
    assert "node@host git-upload-pack" in wrapper.with_suffix(".log").read_text()


@pytest.mark.rule(21)
def test_a_shallow_remote_is_refused(good: World) -> None:
    shallow = good.directory / "shallow.git"
    source = f"file://{good.forge.path}"
    subprocess.run(["git", "clone", "-q", "--bare", "--depth=2", source, str(shallow)], check=True)
    with pytest.raises(LocalTrouble):
        good.new_ledger("other", remote=str(shallow)).sync()


@pytest.mark.rule(21)
def test_nothing_of_the_users_git_is_believed(good: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables and configuration that would bend history, redirect, or run programs."""
    trap = good.directory / "trap"
    config = good.directory / "gitconfig"
    config.write_text(
        f"[core]\n\thooksPath = {trap}\n\tfsmonitor = touch {trap}\n"
        '[url "file:///nowhere/"]\n\tinsteadOf = /\n'
        "[fetch]\n\tfsckObjects = false\n"
    )
    replaced = good.forge.git("rev-parse", "main~3")
    good.forge.git("update-ref", f"refs/replace/{replaced}", str(good.anchor.commit))
    for name, value in {
        "GIT_CONFIG_GLOBAL": str(config),
        "GIT_DIR": "/nonexistent",
        "GIT_OBJECT_DIRECTORY": "/nonexistent",
        "GIT_INDEX_FILE": "/nonexistent",
        "GIT_NAMESPACE": "other",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.fsmonitor",
        "GIT_CONFIG_VALUE_0": f"touch {trap}",
        "GIT_TRACE": str(trap),
    }.items():
        monkeypatch.setenv(name, value)
    known = good.new_ledger("reference").judge_local()
    assert good.new_ledger("other").sync().state_hash == known.state_hash
    assert not trap.exists()


# --- objects that git refuses ------------------------------------------------------------------------


@pytest.mark.rule(20)
def test_a_commit_with_two_trees_is_kept_out(good: World) -> None:
    forge, tip = good.forge, good.forge.tip
    files = {**forge.trees[tip], WEB: Blob(network("web", 66))}
    mine = forge.write_tree(forge.trees[tip])
    payload = forge.payload(mine, [tip], "Two trees")
    doubled = payload.replace(b"parent", b"tree " + forge.write_tree(files).encode() + b"\nparent", 1)
    forge.add(signed(doubled, DAVE), files)
    with pytest.raises(ObjectsRefused):
        good.sync()
    assert_kept(good)
    forge.set_main(tip)
    forge.commit({WEB: network("web", 3)}, DAVE)
    assert good.codes() == ["accepted"]


@pytest.mark.rule(20)
def test_a_tree_that_lists_a_name_twice_is_kept_out(good: World) -> None:
    forge = good.forge
    raw = forge.raw(forge.write_tree(forge.trees[forge.tip]))
    twice = forge.write("tree", raw[:33] + raw)
    forge.add(signed(forge.payload(twice, [forge.tip], "Twice"), DAVE), forge.trees[forge.tip])
    with pytest.raises(ObjectsRefused):
        good.sync()
    assert_kept(good)


@pytest.mark.parametrize(
    "files",
    [
        {".git/config": Blob(b"x")},
        {"a/../b": Blob(b"x")},
        {".gitmodules": Blob(b'[submodule "../../x"]\n\tpath = -x\n\turl = -u\n')},
        {".gitmodules": Blob(b"trust", "120000")},
        {".gitattributes": Blob(b"a" * 5000)},
    ],
)
@pytest.mark.rule(20)
def test_ugly_content_elsewhere_stops_nobody(good: World, files: dict[str, Blob]) -> None:
    good.forge.commit(files, None)
    good.forge.commit({WEB: network("web", 3)}, MALLORY)
    good.forge.commit({SHOP: network("shop", 3)}, None)
    assert good.codes(3) == ["void", "unknown-key", "unsigned"]


@pytest.mark.rule(20)
def test_a_malformed_commit_is_a_verdict_and_stops_nobody(good: World) -> None:
    forge = good.forge
    files = {**forge.trees[forge.tip], WEB: Blob(network("web", 3))}
    payload = forge.payload(forge.write_tree(files), [forge.tip], "Encoded")
    forge.add(signed(payload.replace(b"\n\n", b"\nencoding latin-1\n\n", 1), DAVE), files)
    assert good.codes() == ["malformed-commit"]


# --- the clone ---------------------------------------------------------------------------------------


def _remove_objects(clone: Path) -> None:
    for pack in (clone / "objects").rglob("*"):
        if pack.is_file():
            pack.unlink()


def _overwrite_objects(clone: Path) -> None:
    for path in (clone / "objects").rglob("*"):
        if path.is_file():
            path.chmod(0o644)
            path.write_bytes(b"\0" * path.stat().st_size)


def _lose_refs(clone: Path) -> None:
    shutil.rmtree(clone / "refs")


def _lose_head(clone: Path) -> None:
    (clone / "HEAD").write_text("garbage")


def _empty(clone: Path) -> None:
    shutil.rmtree(clone)
    clone.mkdir()


def _dangling_refs(clone: Path) -> None:
    for ref in (clone / "refs" / "tnet").iterdir():
        ref.write_text("1" * 40 + "\n")


def _stale_locks(clone: Path) -> None:
    for name in ("remote", "ledger", "effective"):
        (clone / "refs" / "tnet" / f"{name}.lock").touch()


@pytest.mark.parametrize(
    "damage",
    [_remove_objects, _overwrite_objects, _lose_refs, _lose_head, _empty, _dangling_refs, _stale_locks],
)
@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.rule(3, 16)
def test_a_damaged_clone_is_made_anew_and_the_mark_stays(
    good: World, damage: object, restarted: bool
) -> None:
    mark = (good.directory / "node" / "mark.json").read_bytes()
    damage(clone_of(good))  # type: ignore[operator]
    ledger = good.new_ledger("node") if restarted else good.ledger
    assert ledger.sync().state_hash == good.new_ledger("reference").judge_local().state_hash
    assert (good.directory / "node" / "mark.json").read_bytes() == mark
    good.forge.commit({WEB: network("web", 3)}, DAVE)
    view = ledger.sync()
    assert view.verdicts[-1].code == "accepted"
    assert view == good.new_ledger("reference").sync()
    subprocess.run(
        ["git", f"--git-dir={clone_of(good)}", "fsck", "--strict"], check=True, capture_output=True
    )
    ledger.close()


def test_a_damaged_clone_without_a_remote_says_both(good: World) -> None:
    _remove_objects(clone_of(good))
    good.forge.path.rename(good.directory / "away")
    with pytest.raises(LocalTrouble):
        good.new_ledger("node").sync()
    with pytest.raises(CloneCorrupted, match="can't be made anew"):
        good.new_ledger("node").judge_local()


@pytest.mark.rule(21)
def test_a_clone_with_history_cut_off_or_bent_is_refused(good: World) -> None:
    for name in ("shallow", "info/grafts", "objects/info/alternates"):
        path = clone_of(good) / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{good.anchor.commit}\n")
        with pytest.raises(CloneUnfit):
            good.new_ledger("node").sync()
        path.unlink()


# --- no space ----------------------------------------------------------------------------------------


@contextlib.contextmanager
def small_disk(path: Path, size: str) -> Iterator[None]:
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tnet-test", str(path)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting takes root")
@pytest.mark.rule(3)
def test_a_full_disk_while_fetching_keeps_the_last_good_state(good: World) -> None:
    with small_disk(good.directory / "small", "2m"):
        ledger = good.new_ledger("small")
        before = ledger.sync()
        tip = good.forge.tip
        good.forge.commit({"big": os.urandom(3_000_000), WEB: network("web", 3)}, DAVE)
        for _ in range(2):
            with pytest.raises(DiskFull):
                ledger.sync()
            assert ledger.judge_local() == before
        assert good.new_ledger("small").judge_local() == before
        good.forge.set_main(tip)
        good.forge.commit({WEB: network("web", 4)}, DAVE)
        assert ledger.sync().verdicts[-1].code == "accepted"
        ledger.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting takes root")
@pytest.mark.rule(3)
def test_a_disk_full_to_the_brim_is_trouble_and_no_verdict(good: World) -> None:
    directory = good.directory / "small"
    with small_disk(directory, "1m"):
        ledger = good.new_ledger("small")
        before = ledger.sync()
        ballast = directory / "ballast"
        with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(b"\0" * 4096)
        good.forge.commit({WEB: network("web", 3)}, DAVE)
        with pytest.raises(LocalTrouble):
            ledger.sync()
        ballast.unlink()
        after = ledger.sync()
        assert after.verdicts[-1].code == "accepted"
        assert after.state_hash != before.state_hash
        ledger.close()


def test_many_processes_on_one_clone_agree(good: World) -> None:
    hashes: list[str] = []

    def run() -> None:
        ledger = good.new_ledger("shared")
        hashes.append(ledger.sync().state_hash)
        ledger.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert hashes == [good.sync().state_hash] * 4


def test_the_configuration_is_frozen(good: World) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        good.ledger._config.branch = "other"  # type: ignore[misc]


@contextlib.contextmanager
def full(directory: Path) -> Iterator[None]:
    """No byte is left on the file system there."""
    ballast = directory / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        for size in (4096, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(b"\0" * size)
    yield
    ballast.unlink()


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting takes root")
@pytest.mark.parametrize("fetched_more", [False, True])
def test_a_restart_on_a_full_disk_finds_the_last_good_state(good: World, fetched_more: bool) -> None:
    directory = good.directory / "small"
    good.forge.commit({WEB: network("web", 6)}, MALLORY)
    with small_disk(directory, "2m"):
        ledger = good.new_ledger("small")
        before = ledger.sync()
        mark = (directory / "mark.json").read_bytes()
        if fetched_more:
            good.forge.commit({WEB: network("web", 1, [("paris/p1", 1, 1)])}, DAVE)
            ledger._clone.fetch()
        ledger.close()
        with full(directory):
            restarted = good.new_ledger("small")
            assert restarted.judge_local() == before
            assert (directory / "mark.json").read_bytes() == mark
            restarted.close()
        assert good.new_ledger("small").judge_local().alarm is None


def test_a_commit_as_long_as_a_book_is_a_verdict(good: World) -> None:
    forge = good.forge
    files = {**forge.trees[forge.tip], WEB: Blob(network("web", 3))}
    payload = forge.payload(forge.write_tree(files), [forge.tip], "x" * 3_000_000)
    forge.add(signed(payload, DAVE), files)
    forge.commit({SHOP: network("shop", 3)}, ERIN)
    assert good.codes(2) == ["malformed-commit", "accepted"]
