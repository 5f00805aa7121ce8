"""The demo's transcript: one line a check, as it happens. Colours and progress only on a terminal."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from typing import TextIO

from reconciler.lab.demo.check import Check, Step

_MOST_EVIDENCE = 40
_LONGEST_LINE = 240
_GREEN, _RED, _DIM, _BOLD = "32", "31", "2", "1"


def _shortened(line: str) -> str:
    return line if len(line) <= _LONGEST_LINE else f"{line[: _LONGEST_LINE - 1]}…"


@dataclass
class Transcript:
    """Writes to `out`; `out` may be a file, then it is plain text."""

    out: TextIO = field(default_factory=lambda: sys.stdout)
    _began: float = field(default_factory=time.monotonic)

    @property
    def _on_terminal(self) -> bool:
        return self.out.isatty()

    def _paint(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._on_terminal else text

    def _line(self, text: str = "") -> None:
        self.out.write(("\r\x1b[K" if self._on_terminal else "") + text + "\n")
        self.out.flush()

    def opening(self, title: str, details: str) -> None:
        self._line(self._paint(_BOLD, title))
        self._line(self._paint(_DIM, details))

    def step(self, number: int, count: int, step: Step) -> None:
        self._line()
        clock = f"{time.monotonic() - self._began:5.1f} s"
        heading = self._paint(_BOLD, f"{number:2d}/{count}  {step.title}")
        self._line(f"{heading}  {self._paint(_DIM, clock)}")

    def check(self, check: Check) -> None:
        tick = self._paint(_GREEN, "✓") if check.ok else self._paint(_RED, "✗")
        self._line(f"    {tick} {check.claim}")
        if check.shown:
            self._lines(check.evidence)
        elif not check.ok:
            self._lines(tuple(_shortened(line) for line in check.evidence[:_MOST_EVIDENCE]))
            self._rest(len(check.evidence) - _MOST_EVIDENCE)

    def _lines(self, lines: tuple[str, ...]) -> None:
        for line in lines:
            self._line(f"        {line}")

    def _rest(self, count: int) -> None:
        if count > 0:
            self._line(f"        … and {count} lines more (--report FILE has all of them)")

    def trouble(self, message: str, advice: str) -> None:
        self._line(f"    {self._paint(_RED, '✗')} {message}")
        for line in advice.splitlines():
            self._line(f"        {line}")

    def progress(self, text: str) -> None:
        """What is being waited for: overwritten by the next line, not written to a file at all."""
        if self._on_terminal:
            self.out.write(f"\r\x1b[K    {self._paint(_DIM, text)}")
            self.out.flush()

    def closing(self, passed: int, failed: int, seconds: float) -> None:
        self._line()
        verdict = (
            self._paint(_GREEN, "all of it holds") if not failed else self._paint(_RED, f"{failed} failed")
        )
        self._line(f"{passed + failed} checks in {seconds:.1f} s: {verdict}")
