"""How fast a node converges its kernel: `python -m benchmarks.kernel [--json FILE] [--sizes N N]`.

Every contender runs in a process with namespaces of its own, which take all that was made with them. The
networks have VXLAN links only (see `benchmarks.farm`). No time but `change` holds any compiling, which is
reported apart; none holds the reading and judging of the ledger.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figures import Figure, add_json_option, say, table, write_json
from benchmarks.world import await_quiet, run_apart, running_alone

Times = dict[str, float]


def measure(size: int, repeat: int, directory: Path) -> Times:
    """The medians of all contenders at one size, in seconds."""
    run_apart("benchmarks.contenders", "record", str(size), str(directory))
    await_quiet()
    rounds: list[Times] = []
    for number in range(repeat):
        found: Times = {}
        for name in ("converge", "replay", "script"):
            place = directory if name == "replay" else directory / f"{name}{number}"
            say(f"{size} networks, round {number + 1} of {repeat}: {name}")
            found |= run_apart("benchmarks.contenders", name, str(size), str(place))
            found[f"{name} gone"] = await_quiet()
        rounds.append(found)
    return {key: statistics.median(found[key] for found in rounds) for key in rounds[0]}


def figures(times: dict[int, Times]) -> list[Figure]:
    """All figures, from the smallest size to the largest."""
    found = [figure for size, at in sorted(times.items()) for figure in _at_size(size, at)]
    small, large = min(times), max(times)
    if small != large:
        ratio = times[large]["change"] / times[small]["change"]
        found.append(Figure("P3.ratio", ratio, "x", 1.2, what=f"one change among {large} against {small}"))
    return found


def _at_size(size: int, at: Times) -> list[Figure]:
    return [
        Figure(f"cold.{size}", at["converge"], "s", what=f"cold converge of {at['objects']:.0f} objects"),
        Figure(f"cold.replay.{size}", at["replay"], "s", what="the same calls without planning"),
        Figure(f"cold.script.{size}", at["script"], "s", what="the same by ip -batch, nft -f"),
        Figure(f"cold.cpu.{size}", at["converge cpu"], "s", what="processor time of the converge"),
        Figure(f"cold.replay.cpu.{size}", at["replay cpu"], "s", what="of the replay"),
        Figure(f"cold.script.cpu.{size}", at["script cpu"], "s", what="of the script and its processes"),
        Figure(f"P1.{size}", at["converge"] / at["replay"], "x", 1.25, what="converge against replay"),
        Figure(
            f"P2.{size}", at["script"] / at["converge"], "x", 5, at_least=True, what="script against converge"
        ),
        Figure(f"idle.{size}", at["idle"], "s", what="a pass with nothing to do"),
        Figure(f"P4.{size}", at["idle"] / at["reads"], "x", 1.5, what="against the raw reads of its dumps"),
        Figure(f"change.{size}", 1000 * at["change"], "ms", what="one network compiled, planned, changed"),
        Figure(f"compile.{size}", at["compile"], "s", what="the whole node compiled (in no other figure)"),
        Figure(f"remove.{size}", at["remove"], "s", what="all networks removed, by name"),
    ]


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kernel", description=__doc__.splitlines()[0])
    add_json_option(parser)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 100, 1000], metavar="N")
    parser.add_argument("--repeat", type=int, default=3, help="rounds; medians count (default: 3)")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    options = _arguments(arguments)
    if os.geteuid() != 0:
        say("namespaces need root")
        return 1
    if not running_alone():
        say("this machine is busy: trust ratios, not seconds")
    with tempfile.TemporaryDirectory(prefix="tnet-benchmark-") as directory:
        times = {size: measure(size, options.repeat, Path(directory) / str(size)) for size in options.sizes}
    found = figures(times)
    print(table(found))
    if options.json is not None:
        write_json(found, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
