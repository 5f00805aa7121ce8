"""Whatever is damaged of what a node has written is noticed, and made anew without moving the mark."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.ledger.ledger import Ledger
from reconciler.ledger.trouble import MarkDamaged
from reconciler.ledger.view import LedgerView
from tests.integration.ledger.world import (
    DAVE,
    ERIN,
    MAIL,
    MALLORY,
    SHOP,
    WEB,
    World,
    network,
)

FLIPS = 60
DEADLINE_S = 20.0


def node_files(directory: Path) -> list[Path]:
    """All that a node has written, but for the lock, which is empty."""
    return sorted(path for path in directory.rglob("*") if path.is_file() and path.stat().st_size)


@pytest.fixture
def judged(world: World) -> World:
    """With refused, repaired and merged transactions, fetched little by little."""
    forge = world.forge
    forge.commit({WEB: network("web", 3)}, MALLORY)
    world.sync()
    forge.commit({WEB: network("web", 1, [("paris/p1", 1, 1)]), "README": b"x"}, None)
    world.sync()
    branch = forge.branch({MAIL: network("mail", 5)}, DAVE, on=forge.tip)
    forge.merge(branch)
    forge.commit({SHOP: network("shop", 6)}, ERIN)
    forge.commit({SHOP: network("shop", 7)}, None)
    assert world.codes(3) == ["accepted", "accepted", "unsigned"]
    world.ledger.close()
    return world


def flip(path: Path, rng: random.Random) -> None:
    data = bytearray(path.read_bytes())
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    path.chmod(0o644)
    path.write_bytes(data)


def heal(world: World, name: str) -> LedgerView:
    ledger = world.new_ledger(name)
    try:
        return ledger.sync()
    finally:
        ledger.close()


@pytest.mark.parametrize("seed", range(4))
def test_a_flipped_bit_anywhere_is_healed_or_named(judged: World, seed: int) -> None:
    rng = random.Random(seed)
    good = heal(judged, "node")
    kept = judged.directory / "node"
    mark = (kept / "mark.json").read_bytes()
    for number in range(FLIPS // 4):
        damaged = judged.directory / f"damaged{number}"
        shutil.copytree(kept, damaged)
        file = rng.choice(node_files(damaged))
        about = file.relative_to(damaged)
        flip(file, rng)
        before = file.read_bytes()
        if file.name == "mark.json":
            with pytest.raises(MarkDamaged):
                heal(judged, damaged.name)
            assert file.read_bytes() == before
        else:
            assert heal(judged, damaged.name) == good, about
            assert (damaged / "mark.json").read_bytes() == mark, about
        shutil.rmtree(damaged)


def test_every_bit_of_a_mark_counts(judged: World) -> None:
    mark = judged.directory / "node" / "mark.json"
    good = mark.read_bytes()
    rng = random.Random(1)
    for _ in range(50):
        flip(mark, rng)
        with pytest.raises(MarkDamaged):
            judged.new_ledger("node").judge_local()
        mark.write_bytes(good)


@pytest.mark.parametrize(
    "kind", ["chronicle.jsonl", "*.pack", "*.idx", "effective", "ledger", "remote", "objects"]
)
@pytest.mark.parametrize("how", ["gone", "empty", "cut short", "zeros"])
def test_every_kind_of_file_can_be_lost(judged: World, kind: str, how: str) -> None:
    good, clone = heal(judged, "node"), judged.directory / "node" / "ledger.git"
    found = [
        path
        for path in clone.rglob(kind if kind != "objects" else "objects/??/*")
        if path.is_file()
        and (kind in ("chronicle.jsonl",) or "objects" in path.parts or "refs" in path.parts)
    ]
    assert found, kind
    for path in found:
        path.chmod(0o644)
        data = path.read_bytes()
        if how == "gone":
            path.unlink()
        else:
            path.write_bytes(
                {"empty": b"", "cut short": data[: len(data) // 2], "zeros": bytes(len(data))}[how]
            )
    assert heal(judged, "node") == good
    assert heal(judged, "node") == good


def child(world: World, name: str) -> subprocess.Popen[bytes]:
    config = world.new_ledger(name)._config
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from reconciler.ledger.config import LedgerConfig\n"
        "from reconciler.ledger.ledger import Ledger\n"
        "remote, anchor, fingerprint, directory = sys.argv[1:]\n"
        "Ledger(LedgerConfig(remote, 'main', anchor, frozenset({fingerprint}), Path(directory))).sync()\n"
    )
    arguments = (config.remote, config.anchor, *config.root_fingerprints, str(config.directory))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen([sys.executable, "-c", program, *arguments], env=environment)


def kills(world: World, name: str, rng: random.Random) -> Iterator[int]:
    """Lets a node sync and kills it, again and again, a little later each time, until one gets to the end."""
    delay_s = 0.05
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        with child(world, name) as process:
            try:
                process.wait(delay_s)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
            yield process.wait()
        if process.returncode == 0:
            return
        delay_s *= rng.uniform(1.05, 1.25)  # However slow the machine is, its end is found in time.
    raise AssertionError("no sync has come to its end")


def test_a_node_killed_at_any_time_ends_where_all_do(judged: World) -> None:
    good, rng = heal(judged, "node"), random.Random(7)
    assert any(status == -signal.SIGKILL for status in kills(judged, "killed", rng))
    assert heal(judged, "killed") == good
    for number in range(3):
        judged.forge.commit({SHOP: network("shop", 20 + number)}, None)
        judged.forge.commit({WEB: network("web", 20 + number)}, DAVE)
        list(kills(judged, "killed", rng))
    assert heal(judged, "killed") == heal(judged, "node")
    assert not leftovers(judged.new_ledger("killed"))


def test_what_a_kill_left_of_a_mark_goes_with_the_next_start(judged: World) -> None:
    directory = judged.ledger._config.directory
    (directory / ".mark.json-abc").write_text("{")
    heal(judged, "node")
    assert not leftovers(judged.ledger)


def leftovers(ledger: Ledger) -> list[Path]:
    """What a killed node may leave behind for one time, but not for ever."""
    directory = ledger._config.directory
    return [*directory.glob("ledger.git.*"), *directory.glob(".mark*")]
