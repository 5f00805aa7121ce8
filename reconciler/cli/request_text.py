"""A judged request for a person's terminal and for a program."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.cli.log import as_plain as plain_verdict
from reconciler.cli.log import lines as verdict_lines
from reconciler.forge.effects import NodeEffect
from reconciler.forge.landing import Strategy
from reconciler.forge.plan_lines import headline, is_shortened, lines
from reconciler.forge.request import Judged, Outcome

_TOLD = {
    Strategy.MERGE: "merged by the forge",
    Strategy.REBASE: "rebased by the forge",
    Strategy.SQUASH: "squashed by the forge",
}


def text(outcome: Outcome, whole: bool) -> Iterator[str]:
    """Verdicts, then nodes, then one line that sums up."""
    for each in outcome.transactions:
        yield from _transaction(each, outcome.strategy)
    if outcome.obstacle is not None:
        yield f"{outcome.obstacle.code}: {outcome.obstacle.message}"
        yield from (f"  {line}" for line in outcome.obstacle.advice.splitlines())
    for effect in outcome.nodes:
        yield from _node(effect, whole)
    yield _summary(outcome)


def _transaction(each: Judged, strategy: Strategy) -> list[str]:
    told = verdict_lines(each.verdict)
    if each.stands_for is not None:
        told.insert(1, f"          this is {each.stands_for[:12]}, {_TOLD[strategy]}")
    return told


def _node(effect: NodeEffect, whole: bool) -> Iterator[str]:
    yield ""
    yield f"{effect.node}: {headline(effect)}"
    yield from (f"  {line}" for entry in lines(effect, whole) for line in entry.split("\n"))
    if not whole and is_shortened(effect):
        yield "  (-v shows every object)"


def _summary(outcome: Outcome) -> str:
    if not outcome.ok:
        return "nodes would reject this"
    count = len(outcome.transactions)
    if not count:
        return "nothing new: the ledger has it already"
    landed = f" ({_TOLD[outcome.strategy]})" if outcome.strategy in _TOLD else ""
    return f"{count} transaction{'' if count == 1 else 's'}, all accepted{landed}"


def plain(outcome: Outcome) -> dict[str, object]:
    """JSON types, as the user guide lists them."""
    obstacle = outcome.obstacle
    return {
        "ok": outcome.ok,
        "problems": [],
        "base": outcome.base,
        "head": outcome.head,
        "landing": outcome.strategy.value,
        "obstacle": None
        if obstacle is None
        else {"code": obstacle.code, "message": obstacle.message, "advice": obstacle.advice},
        "transactions": [
            {**plain_verdict(each.verdict), "stands_for": each.stands_for} for each in outcome.transactions
        ],
        "nodes": [_plain_node(effect) for effect in outcome.nodes],
        "state_hash": outcome.state_hash,
    }


def _plain_node(effect: NodeEffect) -> dict[str, object]:
    return {
        "node": effect.node,
        "arrives": effect.arrives,
        "leaves": effect.leaves,
        "plans": [
            {"title": effect.plan.titles.get(plan.owner, plan.owner), **plan.to_builtins()}
            for plan in effect.changing
        ],
        "waiting": [{"owner": result.owner, "message": result.message} for result in effect.plan.results],
        "remarks": [
            {"network": remark.network, "reason": remark.reason, "message": remark.message}
            for remark in effect.remarks
        ],
    }
