"""The benchmarks run, at a small scale; whether the figures are good is not a test's business."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_the_kernel_benchmark_prints_a_table_and_writes_figures(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    command = [sys.executable, "-m", "benchmarks.kernel", "--sizes", "2", "3", "--repeat", "1"]
    done = subprocess.run(
        [*command, "--json", str(file)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(file.read_text())
    assert all(figure.keys() == {"id", "value", "unit", "goal", "ok"} for figure in figures)
    ids = {figure["id"] for figure in figures}
    assert {"P1.2", "P2.3", "P3.ratio", "P4.3", "cold.3", "change.2"} <= ids
    assert all(identity in done.stdout for identity in ids)


def test_the_ledger_benchmark_prints_a_table_and_writes_figures(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    command = [
        sys.executable,
        "-m",
        "benchmarks.ledger",
        "--tenants",
        "5",
        "20",
        "--commits",
        "45",
        "--repeat",
        "2",
    ]
    done = subprocess.run(
        [*command, "--json", str(file)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    figures = {figure.pop("id"): figure for figure in json.loads(file.read_text())}
    assert all(figure.keys() == {"value", "unit", "goal", "ok"} for figure in figures.values())
    assert {"P5", "P5.git", "P9", "judge", "restart", "memory", "new.5", "new.cpu.20", "new.ratio"} <= set(
        figures
    )
    assert all(identity in done.stdout for identity in figures)
    assert figures["P9"]["value"] > 0
