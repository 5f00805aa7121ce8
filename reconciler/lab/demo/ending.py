"""The last step: everything is taken down, and the machine is as it was."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.lab.demo.check import Check
from reconciler.lab.demo.scene import Scene
from reconciler.lab.footprint import changes_since, exposed, population, survivors
from reconciler.lab.lab import down


def teardown(scene: Scene) -> Iterator[Check]:
    shown = exposed(scene.lab)
    yield Check("while it runs, nothing of the lab is mounted or named outside of it", not shown, shown)
    lived = population(scene.lab)
    scene.progress("taking the lab down")
    down(scene.record)
    left = survivors(lived)
    claim = f"{len(lived.processes)} processes and {len(lived.namespaces)} namespaces of the lab are gone"
    yield Check(claim, not left, left)
    changed = changes_since(scene.before)
    claim = "the machine's links, addresses, routes, rules, nftables, parameters and mounts are as before"
    yield Check(claim, not changed, changed)
    yield Check(f"{scene.record.directory} is gone", not scene.record.exists)
