"""What compiling has to say about a network on a node, beyond the graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reconciler.compile.member import Member


@dataclass(frozen=True, slots=True)
class Condition:
    """`status` False: `type` does not hold, for `reason` (for programs), as `message` tells a person."""

    type: str
    status: bool
    reason: str
    message: str


def suspended(reason: str) -> Condition:
    """This node's NR does not run."""
    return Condition("Healthy", False, "Suspended", reason)


def peers_suspended(reasons: Mapping[str, str]) -> Condition:
    """Other NRs of the network don't run; this one goes on without them."""
    listed = "; ".join(f"{node}: {reason}" for node, reason in sorted(reasons.items()))
    return Condition("Healthy", False, "Degraded", f"left out: {listed}")


def unreachable(members: Sequence[Member]) -> Condition:
    """No link and no relay leads to these."""
    listed = ", ".join(member.node for member in members)
    return Condition("Healthy", False, "Unreachable", f"no public node or relay between here and {listed}")
