"""Trees that git reads and no git program writes: they get verdicts, and stop nobody."""

from __future__ import annotations

import subprocess
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import pytest

from reconciler.ledger.bounds import MAX_REMEMBERED_PATHS
from reconciler.ledger.repository.objects import CommitId, Entry, ObjectId, tree_of
from reconciler.ledger.repository.overlay import encode_tree, parse_tree
from reconciler.model.paths import tenant_path
from tests.integration.ledger.world import (
    DAVE,
    ERIN,
    MAIL,
    MALLORY,
    SHOP,
    WEB,
    Blob,
    Files,
    Forge,
    Person,
    World,
    network,
    signed,
)


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


def with_entry(world: World, path: str, mode: bytes, name: str) -> str:
    """Main's tree with this put at the path, whatever it is."""
    forge = world.forge

    def put(tree: str | None, parts: list[str]) -> str:
        found = dict(parse_tree(forge.raw(tree))) if tree else {}
        first = parts[0].encode()
        inner = found.get(first)
        below = None if inner is None or inner.mode != "040000" else inner.id
        entry = Entry(mode.decode().zfill(6), ObjectId(name))
        if len(parts) > 1:
            entry = Entry("040000", ObjectId(put(below, parts[1:])))
        return forge.write("tree", encode_tree({**found, first: entry}))

    return put(forge.write_tree(forge.trees[forge.tip]), path.split("/"))


def push(world: World, tree: str, by: Person | None = None, parents: Sequence[CommitId] = ()) -> CommitId:
    """A commit of this tree on main; what the helpers take its files for stays main's."""
    forge = world.forge
    payload = forge.payload(tree, [forge.tip, *parents], "Odd")
    return forge.add(signed(payload, by) if by else payload, forge.trees[forge.tip])


PLACES = {
    "beside": "zz",
    "a governed root": "tenants",
    "a root by another name": "Tenants",
    "a tenant's directory": "tenants/ac/acme/networks",
    "a document's place": WEB,
    "at depth": "tenants/ac/acme/networks/1/2/3/4/5/6/7/8/9",
}


@pytest.mark.rule(3, 7)
@pytest.mark.parametrize("place", PLACES)
def test_a_tree_bomb_gets_a_verdict_and_stops_nobody(world: World, place: str) -> None:
    forge, good = world.forge, world.forge.tip
    push(world, with_entry(world, PLACES[place], b"40000", nested_trees(world, 12)), DAVE)
    forge.commit({MAIL: network("mail", 3)}, DAVE)  # takes the bomb away again
    forge.commit({WEB: network("web", 4)}, DAVE)
    view = world.sync()
    assert view.alarm is None
    bomb, *later = [verdict.code for verdict in view.verdicts[-3:]]
    assert bomb == ("void" if place == "beside" else "too-many-paths")
    # The commit that takes it away changes as much; what it brings besides isn't in effect.
    assert later[0] == ("accepted" if place == "beside" else "too-many-paths")
    assert later[1] == "accepted"
    assert world.new_ledger("node").judge_local() == view
    assert world.new_ledger("other").sync() == view
    assert good in {verdict.commit for verdict in view.verdicts}


@pytest.mark.rule(22, 23)
def test_the_effective_tree_of_a_bomb_is_what_is_in_effect(world: World) -> None:
    before = effective_files(world.directory / "node" / "ledger.git")
    push(world, with_entry(world, "tenants", b"40000", nested_trees(world, 12)))
    assert world.codes() == ["too-many-paths"]
    assert effective_files(world.directory / "node" / "ledger.git") == before
    fsck = ["git", f"--git-dir={world.directory}/node/ledger.git", "cat-file", "-e", "refs/tnet/effective"]
    subprocess.run(fsck, check=True)


@pytest.mark.rule(22)
@pytest.mark.parametrize("place", PLACES)
def test_a_tree_bomb_behind_a_merge_is_never_gone_into(world: World, place: str) -> None:
    """What a merge brings in is looked at where the merge claims something, and nowhere else."""
    forge, tip = world.forge, world.forge.tip
    payload = forge.payload(
        with_entry(world, PLACES[place], b"40000", nested_trees(world, 12)), [tip], "Bomb"
    )
    bomb = forge.add(payload, forge.trees[tip], push=False)
    cleaned = forge.branch({}, None, on=bomb)
    honest = forge.branch({MAIL: network("mail", 3)}, DAVE, on=cleaned)
    forge.merge(honest)
    view = world.sync()
    assert (view.alarm, view.verdicts[-1].code) == (None, "accepted"), view.verdicts[-1]


@pytest.mark.rule(3)
def test_a_hundred_thousand_files_are_a_verdict(world: World) -> None:
    forge = world.forge
    name = forge.write("blob", b"x")
    many = forge.write("tree", b"".join(b"100644 %06d\0" % n + bytes.fromhex(name) for n in range(100_000)))
    push(world, with_entry(world, "tenants/ac/acme/networks", b"40000", many), DAVE)
    forge.commit({SHOP: network("shop", 3)}, ERIN, tree_of=forge.tip)
    codes = world.codes(2)
    assert codes == ["too-many-paths", "too-many-paths"]
    forge.commit({WEB: network("web", 4)}, DAVE)
    assert world.codes() == ["accepted"]


@pytest.mark.rule(3)
@pytest.mark.parametrize(("files", "code"), [(99_990, "too-many-paths"), (3_000, "ungovernable-path")])
def test_a_huge_tree_in_which_one_name_changes_stays_usable(world: World, files: int, code: str) -> None:
    """What is there in numbers doesn't matter to those who change one file beside it."""
    forge = world.forge
    name = forge.write("blob", b"x")
    many = b"".join(b"100644 %06d\0" % n + bytes.fromhex(name) for n in range(files))
    push(world, with_entry(world, "trust", b"40000", forge.write("tree", many)))
    assert world.codes() == [code]
    assert len(world.sync().verdicts[-1].paths) <= MAX_REMEMBERED_PATHS
    root = parse_tree(forge.raw(tree_of(forge.raw(forge.tip))))
    changed = parse_tree(
        forge.raw(forge.write_tree({**forge.trees[forge.tip], MAIL: Blob(network("mail", 3))}))
    )
    push(world, forge.write("tree", encode_tree({**root, b"tenants": changed[b"tenants"]})), DAVE)
    assert world.codes() == ["accepted"]


@pytest.mark.rule(3)
@pytest.mark.parametrize("depth", [20, 5_000])
@pytest.mark.parametrize("bottom", ["file", "nothing"])
def test_nesting_without_end_is_a_verdict(world: World, depth: int, bottom: str) -> None:
    forge = world.forge
    mode, name = (
        (b"100644", forge.write("blob", b"x")) if bottom == "file" else (b"40000", forge.write("tree", b""))
    )
    for _ in range(depth):
        name, mode = forge.write("tree", mode + b" d\0" + bytes.fromhex(name)), b"40000"
    push(world, with_entry(world, "tenants/zz", b"40000", name))
    forge.commit({MAIL: network("mail", 3)}, DAVE, tree_of=forge.tip)
    forge.commit({WEB: network("web", 4)}, DAVE)
    assert world.codes(3) == ["too-many-paths", "too-many-paths", "accepted"]


@pytest.mark.rule(3)
def test_a_path_of_half_a_megabyte_is_a_verdict(world: World) -> None:
    push(world, with_entry(world, "tenants/" + "x" * 500_000, b"100644", world.forge.write("blob", b"x")))
    assert world.codes() == ["too-many-paths"]


@pytest.mark.rule(3)
def test_a_huge_file_is_a_verdict_and_read_by_nobody_for_nothing(world: World) -> None:
    forge = world.forge
    forge.commit({WEB: b"#" * 50_000_000}, MALLORY)
    forge.commit({WEB: b"#" * 50_000_000}, DAVE, parents=[CommitId(forge.git("rev-parse", "main~1"))])
    assert world.codes() == ["invalid-document"]


@pytest.mark.rule(3)
def test_documents_that_are_too_much_together_are_a_verdict(world: World) -> None:
    filler = b"".join(b"# %s\n" % (b"x" * 200) for _ in range(1_000))
    files = {
        f"tenants/ac/acme/networks/n{number}.yaml": filler + network(f"n{number}", number + 1)
        for number in range(170)
    }
    world.forge.commit(files, DAVE)
    assert world.codes() == ["too-large"]


@pytest.mark.rule(22)
def test_ten_thousand_commits_behind_a_merge(world: World) -> None:
    """Looked through within the bound; one more, and they aren't looked at."""
    forge, tip = world.forge, world.forge.tip
    name, tree = tip, forge.write_tree(forge.trees[tip])
    for _ in range(9_999):
        name = CommitId(forge.write("commit", forge.payload(tree, [name], "Nothing")))
    forge.trees[name] = forge.trees[tip]
    honest = forge.branch({MAIL: network("mail", 3)}, DAVE, on=name)
    pack_all(forge)
    forge.merge(honest)
    assert world.codes() == ["accepted"]
    more = CommitId(forge.write("commit", forge.payload(tree, [name], "Nothing")))
    forge.trees[more] = forge.trees[tip]
    late = forge.branch({MAIL: network("mail", 4)}, DAVE, on=more)
    forge.set_main(tip)
    forge.merge(late)
    assert [verdict.code for verdict in world.new_ledger("other").sync().verdicts[-1:]] == [
        "too-many-commits"
    ]


def pack_all(forge: Forge) -> None:
    """Ten thousand loose objects would make the fetch slow."""


@pytest.mark.rule(22)
def test_many_lists_as_long_as_may_be_are_not_held_at_once(world: World) -> None:
    """A forge puts one after the other: each brings and takes away as much as a transaction may."""
    forge, name = world.forge, world.forge.write("blob", b"x")
    many = b"".join(b"100644 %06d\0" % n + bytes.fromhex(name) for n in range(40_000))
    junk, before = with_entry(world, "trust", b"40000", forge.write("tree", many)), forge.trees[forge.tip]
    for number in range(20):
        push(world, junk if number % 2 == 0 else forge.write_tree(before))
    tracemalloc.start()
    codes = world.codes(20)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert codes == ["too-many-paths", "repair"] * 10
    assert peak_bytes < 150 << 20
