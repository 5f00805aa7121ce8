"""A daemon's end is heard at once."""

from __future__ import annotations

import queue
import subprocess
from pathlib import Path

import pytest

from reconciler.services.exit_watch import ExitWatch
from reconciler.services.process_id import ProcessId


def start(directory: Path, name: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(["sleep", "600"])
    found = ProcessId.of(process.pid)
    assert found is not None
    found.write(directory / f"{name}.pid")
    return process


def test_each_end_is_told_once_by_name(tmp_path: Path) -> None:
    ended: queue.Queue[str] = queue.Queue()
    processes = {name: start(tmp_path, name) for name in ("a", "b")}
    try:
        with ExitWatch(ended.put).running() as watch:
            watch.look(tmp_path)
            watch.look(tmp_path)
            processes["a"].kill()
            assert ended.get(timeout=10) == "a"
            processes["b"].kill()
            assert ended.get(timeout=10) == "b"
        assert ended.empty()
    finally:
        for process in processes.values():
            process.kill()
            process.wait()


def test_a_successor_is_watched_under_the_same_name(tmp_path: Path) -> None:
    ended: queue.Queue[str] = queue.Queue()
    with ExitWatch(ended.put).running() as watch:
        for _ in range(2):
            process = start(tmp_path, "a")
            watch.look(tmp_path)
            process.kill()
            assert ended.get(timeout=10) == "a"
            process.wait()


def test_files_of_the_dead_and_files_without_sense_are_passed_over(tmp_path: Path) -> None:
    process = start(tmp_path, "dead")
    process.kill()
    process.wait()
    (tmp_path / "odd.pid").write_text("no number")
    ended: queue.Queue[str] = queue.Queue()
    with ExitWatch(ended.put).running() as watch:
        watch.look(tmp_path)
    with pytest.raises(queue.Empty):
        ended.get_nowait()
