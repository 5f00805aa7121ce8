"""What is measured, each in a process apart: `python -m benchmarks.contenders NAME SIZE DIRECTORY`.

converge   tnet, from nothing; then a pass with nothing to do, one change, and the removal of all
record     the same, with every call of the transport written to a file in DIRECTORY
replay     the calls of that file and nothing else
script     the shell script, written to DIRECTORY beforehand
"""

from __future__ import annotations

import gc
import json
import os
import pickle
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import farm, world
from benchmarks.recording import Call, Recorder, replay
from benchmarks.script import write_script
from reconciler.compile.part import network_part
from reconciler.engine.converge import converge
from reconciler.engine.journal import Journal
from reconciler.engine.result import Result, Unchanged
from reconciler.kernel.graph import Graph
from reconciler.kernel.linux.transport import LinuxTransport
from reconciler.kernel.netlink_kernel import NetlinkKernel
from reconciler.kernel.transport import Transport
from reconciler.model.model import Model

CHANGES = 10
"""How many single changes are timed; their median counts."""


class NoSecrets:
    """There is no WireGuard in these networks."""

    def private_key(self, public_key: str) -> bytes:
        raise KeyError(public_key)


class Node:
    """A kernel, a journal, and what they are to become."""

    def __init__(self, transport: Transport, directory: Path) -> None:
        self.kernel = NetlinkKernel(transport, NoSecrets())
        self._journal = Journal(directory / "journal")

    def converge(self, graphs: Sequence[Graph], **options: Any) -> dict[str, Result]:
        results = converge(graphs, self.kernel, self._journal, **options)
        bad = [f"{owner}: {result.message}" for owner, result in results.items() if not result.ok]
        if bad:
            raise SystemExit("\n".join(bad[:5]))
        return results


def timed(action: Callable[[], object]) -> float:
    """Seconds of wall time; garbage of what was before is collected first."""
    gc.collect()
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def both(name: str, action: Callable[[], object]) -> dict[str, float]:
    """Wall time as `name`, and as `name cpu` the processor's, in this process and those it waited for."""
    before = os.times()
    wall = timed(action)
    after = os.times()
    return {name: wall, f"{name} cpu": sum(after[:4]) - sum(before[:4])}


def run_converge(size: int, directory: Path) -> dict[str, float]:
    """All that is measured of tnet itself."""
    node = Node(LinuxTransport(), directory)
    found: dict[str, float] = {}
    numbers = range(1, size + 1)
    model = farm.model(numbers)
    graphs: list[Graph] = []
    found["compile"] = timed(lambda: graphs.extend(farm.graphs(model)))
    found |= both("converge", lambda: node.converge(graphs))
    found["objects"] = sum(len(graph.objects) for graph in graphs)
    found["idle"] = statistics.median(timed(lambda: _idle(node, graphs)) for _ in range(3))
    found["change"] = statistics.median(_changes(node, model, size))
    found["remove"] = timed(lambda: node.converge(graphs[:1], confirmed=True))
    return found


def _idle(node: Node, graphs: Sequence[Graph]) -> None:
    results = node.converge(graphs)
    changed = [result.message for result in results.values() if not isinstance(result, Unchanged)]
    assert not changed, changed[:3]


def _changes(node: Node, model: Model, size: int) -> list[float]:
    """One network after the other loses its third NR: parts, plan and kernel of that one network."""
    return [timed(partial(_change, node, model, number)) for number in range(1, min(CHANGES, size) + 1)]


def _change(node: Node, model: Model, number: int) -> None:
    changed = farm.without_third(number)
    after = model.with_changes(changed)
    network = next(iter(changed.values()))
    part = network_part(after, farm.TENANT, network, farm.HERE)
    assert part.graph is not None
    (result,) = node.converge([part.graph], only_these=True).values()
    assert not isinstance(result, Unchanged)


def run_record(size: int, directory: Path) -> dict[str, float]:
    """One file of calls for the cold start, one for a pass with nothing to do."""
    recorder = Recorder(LinuxTransport())
    node = Node(recorder.as_transport(), directory)
    graphs = farm.graphs(farm.model(range(1, size + 1)))
    node.converge(graphs)
    _save(recorder.calls, directory / "cold.calls")
    recorder.calls.clear()
    node.converge(graphs)
    _save(recorder.calls, directory / "idle.calls")
    return {"calls": len(_load(directory / "cold.calls"))}


def run_replay(size: int, directory: Path) -> dict[str, float]:
    """The recorded calls; the reads of the idle pass have what they read by then."""
    transport = LinuxTransport()
    cold, idle = _load(directory / "cold.calls"), _load(directory / "idle.calls")
    found = both("replay", lambda: replay(cold, transport))
    found["reads"] = statistics.median(timed(lambda: replay(idle, transport)) for _ in range(3))
    return found


def run_script(size: int, directory: Path) -> dict[str, float]:
    """The shell script. Afterwards tnet must find nothing to do, or it did something else."""
    graphs = farm.graphs(farm.model(range(1, size + 1)))
    script = write_script(graphs, directory)
    found = both("script", lambda: subprocess.run(["sh", str(script)], check=True))
    _idle(Node(LinuxTransport(), directory), graphs)
    return found


def _save(calls: Sequence[Call], path: Path) -> None:
    path.write_bytes(pickle.dumps(list(calls)))


def _load(path: Path) -> list[Call]:
    calls: list[Call] = pickle.loads(path.read_bytes())
    return calls


CONTENDERS: dict[str, Callable[[int, Path], dict[str, float]]] = {
    "converge": run_converge,
    "record": run_record,
    "replay": run_replay,
    "script": run_script,
}


def main(name: str, size: str, directory: str) -> None:
    world.enter()
    place = Path(directory)
    place.mkdir(parents=True, exist_ok=True)
    print(json.dumps(CONTENDERS[name](int(size), place)))


if __name__ == "__main__":
    main(*sys.argv[1:])
