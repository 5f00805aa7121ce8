"""What a person reads, and what a program reads."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from reconciler.lab.demo.check import Check, Step, compare
from reconciler.lab.demo.faults import with_fault
from reconciler.lab.demo.report import CheckReport, Report, StepReport
from reconciler.lab.demo.script import BUILDING, SHOWING
from reconciler.lab.demo.transcript import Transcript


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def written(*checks: Check, out: io.StringIO | None = None) -> str:
    out = out or io.StringIO()
    transcript = Transcript(out)
    for check in checks:
        transcript.progress("waiting")
        transcript.check(check)
    return out.getvalue()


def test_a_check_is_a_line() -> None:
    assert written(Check("it holds", True, ("because",)), Check("it does not", False, ("see",))) == (
        "    ✓ it holds\n    ✗ it does not\n        see\n"
    )


def test_evidence_that_is_meant_to_be_read_is_shown_whole() -> None:
    lines = tuple(f"line {number}" for number in range(100))
    assert written(Check("all", True, lines, shown=True)).count("line ") == 100


def test_evidence_against_is_cut_and_says_so() -> None:
    text = written(Check("none", False, tuple("x" * 1000 for _ in range(100))))
    assert "and 60 lines more" in text
    assert max(len(line) for line in text.splitlines()) < 260


def test_colours_and_progress_are_for_terminals() -> None:
    assert "\x1b[32m✓" in written(Check("it holds", True), out=Terminal())
    assert "waiting" not in written(Check("it holds", True))


def test_a_comparison_shows_both_sides_where_they_differ() -> None:
    assert compare("equal", 1, 1) == Check("equal", True)
    assert compare("equal", 1, 2).evidence == ("expected: 1", "seen:     2")


@pytest.mark.parametrize(
    ("complete", "ok", "trouble", "good"),
    [(True, True, "", True), (True, False, "", False), (True, True, "x", False), (False, True, "", False)],
)
def test_a_report_is_good_when_all_was_tried_and_all_holds(
    complete: bool, ok: bool, trouble: str, good: bool, tmp_path: Path
) -> None:
    step = StepReport("name", "title", checks=[CheckReport("claim", ok)], trouble=trouble)
    Report([step], complete=complete).write(tmp_path / "report.json")
    assert json.loads((tmp_path / "report.json").read_text())["ok"] is good


def test_a_fault_comes_right_before_the_step_that_has_to_notice_it() -> None:
    names = [step.name for step in with_fault((*BUILDING, *SHOWING), "open-firewall")]
    assert names[names.index("open-firewall") + 1] == "isolation"
    assert with_fault(SHOWING, None) == SHOWING


def test_steps_have_names_of_their_own() -> None:
    steps: tuple[Step, ...] = (*BUILDING, *SHOWING)
    assert len({step.name for step in steps}) == len(steps)
