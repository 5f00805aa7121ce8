"""How fast a node judges its ledger: `python -m benchmarks.ledger [--json FILE] [--tenants N N]`.

The ledgers are made anew for each run, of signed commits: every tenant is created by root and buys a network.
Every contender runs in a process of its own, one after the other.
"""

from __future__ import annotations

import argparse
import pickle
import shutil
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figures import Figure, add_json_option, say, table, write_json
from benchmarks.ledger_history import make
from benchmarks.world import run_module, running_alone

Measured = dict[str, dict[str, float]]
"""By contender what it measured."""

COLD = ("judge", "bare", "git")
_CONTENDERS = "benchmarks.ledger_contenders"


def measure(directory: Path, tenants: int, commits: int, contenders: Sequence[str], repeat: int) -> Measured:
    """What these contenders say of one made ledger; of those of a cold start the medians of some rounds."""
    directory.mkdir()
    say(f"{tenants} tenants: making {commits} signed commits")
    made, history = make(directory, tenants, commits)
    (directory / "made.pickle").write_bytes(pickle.dumps(made))
    (directory / "history.pickle").write_bytes(pickle.dumps(history))
    # Those of a cold start come first: the others go on with the ledger.
    order = [name for _ in range(repeat) for name in contenders if name in COLD]
    order += [name for name in contenders if name not in COLD]
    found: dict[str, list[dict[str, float]]] = {name: [] for name in contenders}
    for number, name in enumerate(order):
        say(f"{tenants} tenants: {name}")
        found[name].append(run_module(_CONTENDERS, name, str(directory), f"{name}{number}"))
    shutil.rmtree(directory)
    return {name: _median(rounds) for name, rounds in found.items()}


def _median(rounds: Sequence[dict[str, float]]) -> dict[str, float]:
    return {key: statistics.median(each[key] for each in rounds) for key in rounds[0]}


def figures(measured: dict[int, Measured], commits: int) -> list[Figure]:
    """All figures; `measured` is by tenants, and the largest has those of a cold start and of a poll."""
    small, large = min(measured), max(measured)
    found = _cold(measured[large], commits)
    for tenants, at in sorted(measured.items()):
        one = at["increment"]
        found += [
            Figure(
                f"new.{tenants}", 1000 * one["wall"], "ms", what="one new commit: fetched, judged, written"
            ),
            Figure(
                f"new.cpu.{tenants}",
                1000 * one["own cpu"],
                "ms",
                what="of it this program's own processor time",
            ),
            Figure(f"new.git.{tenants}", one["commands"], "", what="git commands for it"),
        ]
    if small != large:
        ratio = measured[large]["increment"]["own cpu"] / measured[small]["increment"]["own cpu"]
        found.append(
            Figure("new.ratio", ratio, "x", 1.5, what=f"own processor time among {large} against {small}")
        )
    return found + _poll(measured[large]["poll"])


def _cold(at: Measured, commits: int) -> list[Figure]:
    judged, bare, by_git = at["judge"], at["bare"], at["git"]
    each = judged["judge"] / commits
    least = bare["verify"] + bare["diff"] + bare["parse"]
    signatures = f"{bare['signatures']:.0f} signatures"
    return [
        Figure("fetch", judged["fetch"], "s", what="the clone, with git's own checks of all objects"),
        Figure("judge", judged["judge"], "s", what=f"{commits} commits judged, the effective tree written"),
        Figure("judge.cpu", judged["judge cpu"], "s", what="of it processor time, with git's"),
        Figure("bare.verify", bare["verify"], "s", what=f"{signatures} verified, nothing else"),
        Figure("bare.diff", bare["diff"], "s", what="one `git diff-tree` over all commits"),
        Figure("bare.parse", bare["parse"], "s", what="each changed document parsed once"),
        Figure(
            "verify-commit", 1000 * by_git["all keys"], "ms", what="one `git verify-commit`, all keys known"
        ),
        Figure("verify-commit.few", 1000 * by_git["few keys"], "ms", what="with a hundred keys known"),
        Figure("P5.git", by_git["all keys"] / each, "x", 50, at_least=True, what="git against judging one"),
        Figure("P5.git.few", by_git["few keys"] / each, "x", what="the same with a hundred keys"),
        Figure("P5.verify", judged["judge"] / bare["verify"], "x", what="judging against verifying alone"),
        Figure("P5", judged["judge"] / least, "x", 1.5, what="against verifying, comparing and parsing"),
        Figure("restart", judged["restart"], "s", what="the same node started anew, nothing to fetch"),
        Figure("memory", judged["memory"], "MB", what="most memory while judging"),
        Figure(
            "memory.state",
            judged["memory"] - judged["memory before"],
            "MB",
            what="of it since before judging",
        ),
    ]


def _poll(at: dict[str, float]) -> list[Figure]:
    return [
        Figure(
            "P9", at["bytes"], "B", 300, what="down, in a poll with nothing new (what git sends over ssh)"
        ),
        Figure("poll", 1000 * at["wall"], "ms", what="the whole poll, with a stand-in for ssh"),
        Figure("poll.git", at["commands"], "", what="git commands for it"),
    ]


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ledger", description=__doc__.splitlines()[0])
    add_json_option(parser)
    parser.add_argument("--tenants", type=int, nargs="+", default=[100, 1000, 10_000], metavar="N")
    parser.add_argument(
        "--commits", type=int, metavar="N", help="commits of the largest ledger (default: two a tenant)"
    )
    parser.add_argument("--repeat", type=int, default=3, help="rounds of a cold start (default: 3)")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    options = _arguments(arguments)
    if not running_alone():
        say("this machine is busy: trust ratios, not seconds")
    large = max(options.tenants)
    commits = options.commits or 2 * large
    measured: dict[int, Measured] = {}
    with tempfile.TemporaryDirectory(prefix="tnet-benchmark-") as directory:
        for tenants in options.tenants:
            place = Path(directory) / str(tenants)
            if tenants == large:
                contenders = (*COLD, "increment", "poll")
                measured[tenants] = measure(place, tenants, commits, contenders, options.repeat)
            else:
                measured[tenants] = measure(place, tenants, 2 * tenants, ("increment",), 1)
    found = figures(measured, commits)
    print(table(found))
    if options.json is not None:
        write_json(found, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
