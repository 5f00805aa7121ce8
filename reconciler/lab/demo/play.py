"""Playing the steps: each check is written down as it is observed; whatever happens, the lab comes down."""

from __future__ import annotations

import os
import platform
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from reconciler.errors import TnetError
from reconciler.lab.demo.check import Step
from reconciler.lab.demo.report import CheckReport, Report, StepReport
from reconciler.lab.demo.scene import Scene
from reconciler.lab.demo.script import BUILDING, SHOWING, TEARDOWN
from reconciler.lab.demo.transcript import Transcript
from reconciler.lab.footprint import footprint
from reconciler.lab.lab import claim, down
from reconciler.lab.record import Record

_LAST_LINES = 8


class Stopped(TnetError):
    """Somebody ended the demo (SIGTERM, SIGHUP)."""


@dataclass
class Player:
    """Plays steps one after the other. A step that can't be carried out ends the play."""

    scene: Scene
    transcript: Transcript
    report: Report

    def play(self, steps: Sequence[Step], count: int) -> bool:
        """True if every step was carried out, whatever its checks said."""
        for step in steps:
            self.transcript.step(len(self.report.steps) + 1, count, step)
            if not self._step(step):
                return False
        return True

    def _step(self, step: Step) -> bool:
        told = StepReport(step.name, step.title)
        self.report.steps.append(told)
        began = time.monotonic()
        try:
            for check in step.run(self.scene):
                told.checks.append(CheckReport.of(check))
                self.transcript.check(check)
        except TnetError as error:
            advice = "\n".join((error.advice, *last_words(self.scene.record))).strip()
            told.trouble = f"{error}\n{advice}".strip()
            self.transcript.trouble(str(error), advice)
        told.seconds = round(time.monotonic() - began, 3)
        return not told.trouble


def last_words(record: Record) -> list[str]:
    """The end of each agent's log, for whoever has to find out what went wrong."""
    lines = []
    for path in sorted(record.directory.glob("machines/*/agent.log")):
        said = path.read_text(encoding="utf-8", errors="replace").splitlines()
        lines += [f"{path.parent.name}'s agent: {line}" for line in said[-_LAST_LINES:]]
    return lines


def play_demo(record: Record, steps: Sequence[Step], transcript: Transcript, keep: bool) -> Report:
    """Build, show, take down (unless `keep`); also when interrupted, then KeyboardInterrupt goes on.

    Raises LabError, with nothing done, if there is a lab of that name.
    """
    began = time.monotonic()
    report = Report()
    before = footprint()
    claim(record)
    scene = Scene(record, before, transcript.progress)
    player = Player(scene, transcript, report)
    _open(transcript)
    count = len(steps) + (0 if keep else 1)
    with _termination_as_exception():
        try:
            report.complete = player.play(steps, count)
            if not keep:
                report.complete &= player.play([TEARDOWN], count)
        finally:
            if not keep and record.exists:
                down(record)
    report.seconds = round(time.monotonic() - began, 1)
    transcript.closing(report.passed, report.failed, report.seconds)
    return report


def _open(transcript: Transcript) -> None:
    machine = f"Linux {platform.release()}, {os.cpu_count()} processors, Python {platform.python_version()}"
    transcript.opening("tnet lab: from a signed commit to a converged kernel", machine)


@contextmanager
def _termination_as_exception() -> Iterator[None]:
    """SIGTERM and SIGHUP end the demo as an exception, so that it clears up after itself."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise Stopped(f"ended by {signal.Signals(number).name}")

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def demo_steps() -> tuple[Step, ...]:
    return (*BUILDING, *SHOWING)
