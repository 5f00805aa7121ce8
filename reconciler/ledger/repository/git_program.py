"""Which git is asked: one that knows a SHA-1 collision when it sees one, or none.

Signatures cover ids, and ids are SHA-1. Colliding objects can be made (SHAttered, 2017): one could be signed,
the other served. git detects them when it takes objects in, but only if it was built to: with what it calls
SHA1_DC, its default since 2.13.
"""

from __future__ import annotations

import os
import shutil
from functools import lru_cache
from pathlib import Path

from reconciler.ledger.repository.runner import Runner
from reconciler.ledger.trouble import GitUnfit

_LINE = "SHA-1: "
_DETECTING = "SHA1_DC"
# What git says of such an object (sha1dc_git.c). Versions before 2.50 don't tell how they were built.
_MESSAGE = b"appears to be part of a collision attack"
_ADVICE = (
    "install the distribution's git; of one's own, build it without OPENSSL_SHA1, BLK_SHA1 or APPLE_SHA1"
)


def require_fit_git() -> None:
    """Raises `GitUnfit` for a git without collision detection. Looked at once for each program."""
    program = shutil.which("git")
    if program is None:
        raise GitUnfit("there is no git on the PATH", "install git")
    _require_detection(Path(program), Path(program).stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _require_detection(program: Path, mtime_ns: int) -> None:
    runner = Runner(program.parent)  # What is asked is the same in every repository.
    said = runner.text("version", "--build-options").splitlines()
    built = [line.removeprefix(_LINE) for line in said if line.startswith(_LINE)]
    detects = built[0].startswith(_DETECTING) if built else _holds_message(program, runner)
    if not detects:
        what = f" (it was built with {built[0]})" if built else ""
        raise GitUnfit(f"{program} doesn't detect SHA-1 collisions{what}", _ADVICE)


def _holds_message(program: Path, runner: Runner) -> bool:
    """In the program, or, if that only starts another, in the one beside git's own commands."""
    beside = Path(runner.text("--exec-path")) / "git"
    return any(_MESSAGE in each.read_bytes() for each in (program, beside) if os.access(each, os.R_OK))
