"""Things to break on purpose, to show that the demo would notice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from reconciler.lab.agents import kill_agent
from reconciler.lab.demo.check import Check, Step
from reconciler.lab.demo.scene import Scene
from reconciler.lab.jobs import Job, outputs

_OPEN = r"""
set -e
for namespace in "" $(ls /run/netns | grep ^tnet-); do
  run="${namespace:+ip netns exec $namespace}"
  $run nft list ruleset | sed 's/policy drop/policy accept/; s/\bdrop\b/accept/' > /run/opened.nft
  $run nft flush ruleset
  $run nft -f /run/opened.nft
done
ip route add 100.64.0.0/16 via 100.64.0.1
ip route add fd74:6e65:7400::/64 via fd74:6e65:7400::1
"""


def open_firewall(scene: Scene) -> Iterator[Check]:
    """Every `drop` of every node becomes `accept`, and the node forwards to the tenants' transit addresses;
    the agents are ended first, or they would mend it."""
    for node in scene.lab.nodes:
        kill_agent(node)
    outputs(Job(node, ["sh", "-c", _OPEN]) for node in scene.lab.nodes)
    yield Check("every firewall of the farm stands open now (fault on request)", True)


FAULTS: Mapping[str, tuple[str, Callable[[Scene], Iterator[Check]]]] = {
    "open-firewall": ("isolation", open_firewall),
}
"""Name -> (the step before which it happens, what happens)."""


def with_fault(steps: tuple[Step, ...], fault: str | None) -> tuple[Step, ...]:
    """The steps with the fault put in before the one that has to notice it."""
    if fault is None:
        return steps
    place, act = FAULTS[fault]
    number = [step.name for step in steps].index(place)
    broken = Step(fault, f"Fault: {fault}", act)
    return (*steps[:number], broken, *steps[number:])
