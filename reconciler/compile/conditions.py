"""What compiling has to say about a network on a node, beyond the graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reconciler.compile.member import Member
from reconciler.model.suspension import Suspended


@dataclass(frozen=True, slots=True)
class Condition:
    """`status` False: `type` does not hold, for `reason` (for programs), as `message` tells a person."""

    type: str
    status: bool
    reason: str
    message: str


def suspended(why: Suspended) -> Condition:
    """This node's NR does not run."""
    return Condition("Healthy", False, "Suspended", f"{why.reason}: {why.message}")


def peers_suspended(suspensions: Mapping[str, Suspended]) -> Condition:
    """Other NRs of the network don't run; this one goes on without them."""
    listed = "; ".join(f"{node}: {why.message}" for node, why in sorted(suspensions.items()))
    return Condition("Healthy", False, "Degraded", f"left out: {listed}")


def sealed_to_old_key(node: str, key: str) -> Condition:
    """The NR runs on while its WireGuard device lives, and can't be made anew."""
    message = f"its private key is sealed to {key}, which {node} no longer has: run `tnet network reseal`"
    return Condition("Healthy", False, "SealedToOldKey", message)


def unreachable(members: Sequence[Member]) -> Condition:
    """No link and no relay leads to these."""
    listed = ", ".join(member.node for member in members)
    return Condition("Healthy", False, "Unreachable", f"no public node or relay between here and {listed}")
