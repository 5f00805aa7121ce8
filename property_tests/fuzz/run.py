"""Runs one fuzz target under atheris: `python -m property_tests.fuzz.run TARGET [libFuzzer's options]`.

Coverage is collected in this project's own code. What it finds lies in the working directory as `crash-...`:
put it into the target's corpus when it is repaired, so that the next run begins with it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

HERE = Path(__file__).parent
TARGETS = ("commit", "sshsig", "document", "tree", "checkpoint", "state", "receipt")


def load(target: str) -> Callable[[bytes], None]:
    """The check of a target."""
    check: Callable[[bytes], None] = import_module(f"property_tests.fuzz.{target}_target").check
    return check


def main(arguments: list[str]) -> None:
    import atheris

    target = arguments[1]
    if target not in TARGETS:
        sys.exit(f"{target!r} is not one of: {', '.join(TARGETS)}")
    with atheris.instrument_imports(include=["reconciler"]):
        check = load(target)
    dictionary = HERE / "dictionaries" / f"{target}.dict"
    atheris.Setup(["fuzz", f"-dict={dictionary}", "-timeout=10", "-max_len=16384", *arguments[2:]], check)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv)
