"""Trees that git reads and no git program writes: they get verdicts, and stop nobody."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from reconciler.ledger.objects import CommitId
from reconciler.ledger.view import AlarmKind
from reconciler.model.paths import tenant_path
from tests.integration.ledger.world import DAVE, MAIL, WEB, Blob, Files, World, network


def push_unsigned(world: World, raw_root: bytes, files: Files) -> CommitId:
    tree = world.forge.write("tree", raw_root)
    return world.forge.add(world.forge.payload(tree, [world.forge.tip], "Odd"), files)


def effective_files(directory: Path) -> list[str]:
    command = ["git", f"--git-dir={directory}", "ls-tree", "-r", "--name-only", "refs/tnet/effective"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


@pytest.mark.parametrize(
    ("mode", "target"),
    [
        (b"0040000", "tree"),
        (b"40755", "tree"),
        (b"100664", "blob"),
        (b"120777", "blob"),
        (b"10644", "blob"),
        (b"160000", "blob"),
        (b"160755", "blob"),
        (b"160000", "tree"),
    ],
)
def test_an_odd_entry_beside_ours_stops_nobody(world: World, mode: bytes, target: str) -> None:
    world.populate()
    before = world.sync()
    forge = world.forge
    files = {**forge.trees[forge.tip], WEB: Blob(b"refused")}
    name = forge.write_tree({"x": Blob(b"1")}) if target == "tree" else forge.write("blob", b"elsewhere")
    # What is odd has to be in the pack, so a file of that content comes along.
    files |= {"zz/x": Blob(b"1"), "zy": Blob(b"elsewhere")}
    odd = mode + b" aaa\0" + bytes.fromhex(name)
    push_unsigned(world, odd + forge.raw(forge.write_tree(files)), files)
    view = world.sync()
    assert [verdict.code for verdict in view.verdicts[-1:]] == ["unsigned"]
    assert view.model == before.model
    forge.commit({MAIL: network("mail", 3)}, DAVE)
    assert world.sync().verdicts[-1].accepted


@pytest.mark.parametrize("mode", [b"0040000", b"40755"])
def test_a_directory_of_an_odd_mode_keeps_its_files(world: World, mode: bytes) -> None:
    world.populate()
    world.sync()
    forge = world.forge
    files = {**forge.trees[forge.tip], WEB: Blob(b"refused")}
    raw = forge.raw(forge.write_tree(files))
    push_unsigned(world, raw.replace(b"40000 tenants\0", mode + b" tenants\0"), files)
    world.sync()
    shown = effective_files(world.directory / "node" / "ledger.git")
    assert {WEB, tenant_path("acme"), tenant_path("globex")} <= set(shown)


def nested_trees(world: World, levels: int, width: int = 10) -> str:
    """A tree of `width ** levels` files in `levels + 1` objects."""
    mode, name = b"100644", world.forge.write("blob", b"x")
    for _ in range(levels):
        entries = (mode + b" %d\0" % number + bytes.fromhex(name) for number in range(width))
        name, mode = world.forge.write("tree", b"".join(entries)), b"40000"
    return name


@pytest.mark.parametrize("place", ["zz", "tenants"])
def test_a_tree_without_end_is_an_alarm_and_what_came_before_it_counts(world: World, place: str) -> None:
    world.populate()
    world.sync()
    forge = world.forge
    forge.commit({MAIL: network("mail", 3)}, DAVE)
    good = forge.tip
    root = forge.raw(forge.write_tree({**forge.trees[good]}))
    bomb = bytes.fromhex(nested_trees(world, 12))
    if place == "zz":
        root += b"40000 zz\0" + bomb
    else:
        at = root.index(b"40000 tenants\0") + len(b"40000 tenants\0")
        root = root[:at] + bomb + root[at + 20 :]
    push_unsigned(world, root, {**forge.trees[good]})
    view = world.sync()
    assert view.alarm is not None
    assert view.alarm.kind is AlarmKind.TREE_TOO_LARGE
    assert "sets the branch back" in view.alarm.advice
    assert (view.tip, view.verdicts[-1].commit, view.verdicts[-1].accepted) == (good, good, True)
    assert world.sync().alarm is not None
    forge.set_main(good)
    assert world.sync().alarm is None
