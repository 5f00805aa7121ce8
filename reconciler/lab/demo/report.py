"""The demo's report for programs: every step and check, with all evidence."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from reconciler.lab.demo.check import Check


class CheckReport(Struct, frozen=True):
    claim: str
    ok: bool
    evidence: tuple[str, ...] = ()

    @staticmethod
    def of(check: Check) -> CheckReport:
        return CheckReport(check.claim, check.ok, check.evidence)


class StepReport(Struct):
    """`trouble` is set when the step could not be carried out to its end."""

    name: str
    title: str
    seconds: float = 0.0
    checks: list[CheckReport] = []
    trouble: str = ""

    @property
    def ok(self) -> bool:
        return not self.trouble and all(check.ok for check in self.checks)


class Report(Struct):
    """The whole demo. `complete` says that every step was tried."""

    steps: list[StepReport] = []
    seconds: float = 0.0
    complete: bool = False

    @property
    def ok(self) -> bool:
        return self.complete and all(step.ok for step in self.steps)

    @property
    def passed(self) -> int:
        return sum(check.ok for step in self.steps for check in step.checks)

    @property
    def failed(self) -> int:
        checks = sum(not check.ok for step in self.steps for check in step.checks)
        return checks + sum(bool(step.trouble) for step in self.steps)

    def write(self, path: Path) -> None:
        plain = {"ok": self.ok, **msgspec.to_builtins(self)}
        path.write_bytes(msgspec.json.format(msgspec.json.encode(plain), indent=2) + b"\n")
