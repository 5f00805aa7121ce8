"""An agent dies in the middle of applying, and is started again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from reconciler.lab.agents import NotInTime, agent_runs, kill_agent, start_agent
from reconciler.lab.demo.check import Check
from reconciler.lab.demo.growing import GROWING, NEW_MACHINE
from reconciler.lab.demo.scene import Scene
from reconciler.lab.observe import differences, snapshots

_TIMEOUT_S = 30.0


def crash(scene: Scene) -> Iterator[Check]:
    """The extension is signed once more; its node's agent gets SIGKILL as soon as it has begun to build."""
    machine = scene.machine(NEW_MACHINE)
    namespace = scene.network(GROWING).namespace
    signer = scene.person(GROWING)
    scene.repository.revert(scene.commits["revert"], signer)
    tip = scene.repository.push()
    scene.progress("waiting for the first sign of building")
    _await_namespace(machine.path(f"/run/netns/{namespace}"))
    kill_agent(machine)
    yield Check(
        f"{NEW_MACHINE}'s agent was killed (SIGKILL) while it built {GROWING}'s network",
        not agent_runs(machine),
    )
    whole = {NEW_MACHINE: scene.seen["extended"][NEW_MACHINE]}
    missing = differences(snapshots([machine]), whole)
    yield Check(
        f"that was in the middle: {len(missing)} lines of its kernel's state are not there yet", bool(missing)
    )
    start_agent(scene.record, machine)
    scene.await_converged(tip)
    left = differences(scene.seen["extended"], scene.look("started again"))
    yield Check("started again, it finishes: every kernel is what it was with the extension", not left, left)


def _await_namespace(place: Path) -> None:
    """Wait until a namespace is mounted there, looking as often as can be. Raises NotInTime."""
    namespaces = Path("/proc/self/ns/net").stat().st_dev
    deadline = time.monotonic() + _TIMEOUT_S
    while not place.exists() or place.stat().st_dev != namespaces:
        if time.monotonic() > deadline:
            raise NotInTime(f"{NEW_MACHINE} does not begin to build {place.name}")
        time.sleep(0.001)
