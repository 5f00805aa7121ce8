"""What lies around a repository and could bend what git sees in it has no say (rules 20 and 21)."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from reconciler.ledger.replay import replay
from reconciler.ledger.trouble import CloneUnfit, GitUnfit
from tests.integration.ledger.world import DAVE, MALLORY, WEB, Blob, World, network

pytestmark = pytest.mark.rule(20, 21)


def clone_of(world: World) -> Path:
    return world.directory / "node" / "ledger.git"


def git(repository: Path, *arguments: str) -> str:
    command = ["git", f"--git-dir={repository}", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def persons_clone(world: World, *options: str) -> Path:
    path = world.directory / "person"
    source = f"file://{world.forge.path}"
    subprocess.run(["git", "clone", "-q", *options, source, str(path)], check=True, capture_output=True)
    return path / ".git"


def assert_as_everywhere(world: World) -> None:
    """The node, a new node and a person's clone say the same."""
    view = world.sync()
    assert world.new_ledger("other").sync() == view
    own = replay(persons_clone(world), world.anchor)
    assert own.view == view
    own.close()


# --- the program -------------------------------------------------------------------------------------


def put_in_front(world: World, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """A git on the PATH that answers some questions by itself and leaves the others to the real one."""
    place = world.directory / "bin"
    place.mkdir()
    program = place / "git"
    program.write_text(f'#!/bin/sh\n{script}\nexec {shutil.which("git")} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{place}:{os.environ['PATH']}")


SAYS = 'case "$*" in *--build-options*) printf "git version 2.51.0\\n{}\\n"; exit;; esac'


@pytest.mark.parametrize("backend", ["SHA1_OPENSSL", "SHA1_BLK", "SHA1_APPLE (No collision detection)"])
def test_a_git_that_does_not_see_collisions_is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    put_in_front(world, monkeypatch, SAYS.format(f"SHA-1: {backend}"))
    with pytest.raises(GitUnfit, match="collisions") as raised:
        world.sync()
    assert raised.value.advice
    with pytest.raises(GitUnfit):
        replay(world.forge.path, world.anchor, "main")


def test_an_old_git_that_does_not_see_collisions_is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says nothing of how it was built; what it would say of a collision isn't in it."""
    elsewhere = f'case "$*" in *--exec-path*) echo {world.directory}; exit;; esac'
    put_in_front(world, monkeypatch, SAYS.format("cpu: x86_64") + "\n" + elsewhere)
    with pytest.raises(GitUnfit):
        world.sync()


@pytest.mark.parametrize(
    "said", ["SHA-1: SHA1_DC\\nnon-collision-detecting-SHA-1: SHA1_OPENSSL", "cpu: x86_64"]
)
def test_a_git_that_sees_collisions_is_taken(
    world: World, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    put_in_front(world, monkeypatch, SAYS.format(said))
    world.forge.commit({WEB: network("web", 3)}, DAVE)
    assert world.codes() == ["accepted"]


# --- the repository ----------------------------------------------------------------------------------


def test_a_partial_clone_is_refused(world: World) -> None:
    git(world.forge.path, "config", "uploadpack.allowFilter", "true")
    partial = persons_clone(world, "--filter=blob:none", "--no-checkout")
    with pytest.raises(CloneUnfit, match="partial"):
        replay(partial, world.anchor)


@pytest.mark.parametrize("where", ["committed", "configured"])
def test_a_submodule_can_not_be_hidden(world: World, where: str) -> None:
    """`ignore = all` keeps a submodule out of git's comparisons, and whoever commits can say it."""
    modules = '[submodule "x"]\n\tpath = tenants/ac/acme/networks/x.yaml\n\turl = ./x\n\tignore = all\n'
    hidden = Blob(world.forge.tip.encode(), "160000")
    files = {".gitmodules": Blob(modules.encode())} if where == "committed" else {}
    world.forge.commit({"tenants/ac/acme/networks/x.yaml": hidden, **files}, DAVE)
    git(world.forge.path, "symbolic-ref", "HEAD", "refs/heads/main")
    clone = persons_clone(world, "--no-recurse-submodules")
    if where == "configured":
        (clone / "config").open("a").write(modules)
        (clone.parent / ".gitmodules").write_text(modules)
    for repository in (clone, world.forge.path):
        own = replay(repository, world.anchor, "HEAD")
        assert own.view.verdicts[-1].code == "wrong-mode"
        own.close()
    assert world.codes() == ["wrong-mode"]


def poison(graph: Path) -> None:
    """Makes a commit-graph say that no commit has a parent (gitformat-commit-graph(5))."""
    data = bytearray(graph.read_bytes())
    chunks = {
        bytes(data[at : at + 4]): int.from_bytes(data[at + 4 : at + 12], "big")
        for at in range(8, 8 + 12 * (data[6] + 1), 12)
    }
    start = chunks[b"CDAT"]
    end = min(at for at in chunks.values() if at > start)
    for row in range(start, end, 36):
        data[row + 20 : row + 28] = (0x70000000).to_bytes(4, "big") * 2
    data[-20:] = hashlib.sha1(data[:-20], usedforsecurity=False).digest()
    graph.chmod(stat.S_IRUSR | stat.S_IWUSR)
    graph.write_bytes(data)


def test_a_poisoned_commit_graph_is_not_read(world: World) -> None:
    clone = clone_of(world)
    git(clone, "commit-graph", "write", "--reachable")
    poison(clone / "objects" / "info" / "commit-graph")
    assert git(clone, "rev-list", "--count", "refs/tnet/ledger") == "1", "git believes it"
    branch = world.forge.branch({WEB: network("web", 3)}, DAVE, on=world.forge.tip)
    world.forge.merge(branch)
    world.ledger.close()
    world.ledger = world.new_ledger("node")
    assert world.codes() == ["accepted"]
    assert_as_everywhere(world)


def test_no_hook_filter_or_helper_in_the_clone_is_run(world: World) -> None:
    clone, trap = clone_of(world), world.directory / "trap"
    (clone / "hooks").mkdir()
    for name in ("reference-transaction", "post-update", "pre-auto-gc", "post-index-change", "update"):
        hook = clone / "hooks" / name
        hook.write_text(f"#!/bin/sh\ntouch {trap}\n")
        hook.chmod(0o755)
    (clone / "info").mkdir(exist_ok=True)
    (clone / "info" / "attributes").write_text("* filter=trap diff=trap\n")
    included = world.directory / "included"
    included.write_text(
        f'[filter "trap"]\n\tsmudge = touch {trap}\n\tclean = touch {trap}\n\trequired = true\n'
        f'[diff "trap"]\n\tcommand = touch {trap}\n\ttextconv = touch {trap}\n'
        f"[core]\n\tfsmonitor = touch {trap}\n\tpager = touch {trap}\n\taskPass = touch {trap}\n"
        f"\thooksPath = {clone / 'hooks'}\n\tcommitGraph = true\n"
    )
    with (clone / "config").open("a") as config:
        config.write(f"[include]\n\tpath = {included}\n")
    world.forge.commit({WEB: network("web", 3)}, MALLORY)
    world.forge.commit({"README": b"x"}, None)
    assert world.codes(2) == ["unknown-key", "void"]
    assert not trap.exists()


def test_replaced_commits_in_the_clone_change_nothing(world: World) -> None:
    clone = clone_of(world)
    git(clone, "replace", "refs/tnet/ledger", "refs/tnet/ledger~3")
    world.forge.commit({WEB: network("web", 3)}, DAVE)
    world.ledger = world.new_ledger("node")
    assert world.codes() == ["accepted"]
    assert_as_everywhere(world)
