"""Runs the steps of a workflow as a runner does: each by bash, with just the environment it is given."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

DIRECTORY = Path(__file__).parents[3] / "deploy" / "pull-requests"
STEP_S = 300.0
_EXPRESSION = re.compile(r"\$\{\{ (.+?) \}\}")


def load(name: str) -> dict[str, Any]:
    loaded = yaml.safe_load((DIRECTORY / name).read_text())
    assert isinstance(loaded, dict)
    return loaded


@dataclass
class Runner:
    """`values` are what the forge puts in the place of `${{ … }}`."""

    workspace: Path
    values: Mapping[str, str]

    def step(self, step: Mapping[str, Any], **outputs: str) -> tuple[int, dict[str, str]]:
        """The exit code, and what the step left for later ones. `outputs` are those of earlier ones."""
        assert "uses" not in step, "nobody else's action runs here"
        known = {**self.values, **{f"needs.judge.outputs.{name}": value for name, value in outputs.items()}}
        environment = {name: self._evaluated(str(text), known) for name, text in step.get("env", {}).items()}
        output = self.workspace / "output"
        output.write_text("")
        code = run(step["run"], self.workspace, {**environment, "GITHUB_OUTPUT": str(output)})
        return code, _outputs(output.read_text())

    def _evaluated(self, text: str, known: Mapping[str, str]) -> str:
        return _EXPRESSION.sub(lambda found: known[found[1]], text)


def run(script: str, workspace: Path, environment: Mapping[str, str]) -> int:
    """As runners do: bash with -e, in a directory of its own."""
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=workspace,
        env={"PATH": os.environ["PATH"], "HOME": str(workspace), **environment},
        stdin=subprocess.DEVNULL,
        timeout=STEP_S,
    )
    return done.returncode


def _outputs(text: str) -> dict[str, str]:
    """`name=value`, and `name<<END`, lines, `END`."""
    found: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        name, heredoc, end = line.partition("<<")
        if heredoc:
            found[name] = "\n".join(iter(lambda: next(lines), end))
        else:
            name, _, value = line.partition("=")
            found[name] = value
    return found
