"""The demo's steps in their order, as data."""

from __future__ import annotations

from reconciler.lab.demo import building, crashing, ending, growing, isolating, reaching, refusing
from reconciler.lab.demo.check import Step
from reconciler.lab.demo.forging import forged

BUILDING = (
    Step("farm", "A farm on this machine: two sites, four nodes, an internet between them", building.farm),
    Step(
        "ledger", "A Git repository from the example, with fresh keys, every commit signed", building.ledger
    ),
    Step(
        "agents", "Each node's agent fetches, verifies, compiles, and converges its kernel", building.agents
    ),
    Step(
        "containers", "Containers of two tenants, with the same addresses, on the same nodes", building.plug
    ),
)

SHOWING = (
    Step("reach", "Containers of one tenant reach each other on every node", reaching.within),
    Step("uplink", "They reach the outside through their node's NAT", reaching.outside),
    Step("extend", "A signed commit adds a node to a network while pings run", growing.extend),
    Step("isolation", "Nothing reaches across: the whole matrix", isolating.isolation),
    Step("inbound", "Nothing gets in from outside", isolating.inbound),
    Step("forged", "Hand-made VXLAN packets get nowhere", forged),
    Step("unsigned", "An unsigned commit is refused everywhere", refusing.unsigned),
    Step("stranger", "A commit by the other tenant's key is refused everywhere", refusing.stranger),
    Step("rewritten", "A rewritten history is refused everywhere", refusing.rewritten),
    Step("revert", "git revert takes the extension back", growing.take_back),
    Step("crash", "An agent dies in the middle and is started again", crashing.crash),
)

TEARDOWN = Step("teardown", "The machine is as it was", ending.teardown)
