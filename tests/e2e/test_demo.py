"""The demo as a person starts it: its exit code, its report, and the machine it ran on."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from reconciler.lab.demo.script import BUILDING, SHOWING, TEARDOWN
from reconciler.lab.footprint import changes_since, footprint
from reconciler.lab.record import Record

pytestmark = pytest.mark.lab

NewRecord = Callable[[], Record]


@dataclass(frozen=True)
class Played:
    """How a demo ended."""

    code: int
    transcript: str
    report: dict[str, Any]

    def steps(self) -> dict[str, dict[str, Any]]:
        return {step["name"]: step for step in self.report["steps"]}

    def failed(self) -> list[str]:
        return [
            name for name, step in self.steps().items() if not all(check["ok"] for check in step["checks"])
        ]


def play(record: Record, directory: Path, *arguments: str) -> Played:
    report = directory / "report.json"
    command = [sys.executable, "-m", "reconciler.cli.main", "lab", "demo", "--name", record.name]
    done = subprocess.run(
        [*command, "--report", str(report), *arguments], capture_output=True, text=True, timeout=300
    )
    transcript = done.stdout + done.stderr
    assert report.exists(), transcript
    return Played(done.returncode, transcript, json.loads(report.read_text()))


def test_all_that_is_promised_holds(new_record: NewRecord, tmp_path: Path) -> None:
    before, record = footprint(), new_record()
    played = play(record, tmp_path)
    assert played.failed() == [], played.transcript
    assert played.code == 0, played.transcript
    assert list(played.steps()) == [step.name for step in (*BUILDING, *SHOWING, TEARDOWN)]
    assert all(step["checks"] for step in played.report["steps"]), "a step without a check shows nothing"
    assert "\x1b[" not in played.transcript, "colours belong on a terminal"
    assert not record.exists
    assert changes_since(before) == ()


def test_an_open_firewall_is_noticed(new_record: NewRecord, tmp_path: Path) -> None:
    """If every `drop` were an `accept`, the matrix, the way in and the forged packets all say so."""
    before = footprint()
    played = play(new_record(), tmp_path, "--fault", "open-firewall", "--until", "forged")
    assert played.code == 1, played.transcript
    assert played.failed() == ["isolation", "inbound", "forged"], played.transcript
    assert changes_since(before) == ()


def test_a_step_that_does_not_exist_is_a_usage_error(new_record: NewRecord) -> None:
    command = [sys.executable, "-m", "reconciler.cli.main", "lab", "demo", "--until", "nowhere"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 64
    assert "there is no step nowhere" in done.stderr
