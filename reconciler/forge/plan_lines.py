"""What a node would do, in lines: whole, or only counted where it is long."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from reconciler.engine.plan import Plan
from reconciler.engine.render import counts, summary_line
from reconciler.forge.effects import NodeEffect
from reconciler.kernel.objects import NODE_OWNER

SHORT_LINES = 12
"""An owner's plan up to so many lines is shown whole also where only a summary is asked for."""


def headline(effect: NodeEffect) -> str:
    """What becomes of the node, in a few words."""
    if effect.leaves:
        return "leaves the ledger: its agent will say so, and leave everything as it is"
    what = f"{_owners(effect)}: {_totals(effect)}" if effect.changing else "nothing to change"
    return f"new in the ledger; {what}" if effect.arrives else what


def _owners(effect: NodeEffect) -> str:
    networks = sum(plan.owner != NODE_OWNER for plan in effect.changing)
    told = [f"{networks} network{'' if networks == 1 else 's'}"] if networks else []
    return " and ".join(["the node itself"] * (networks < len(effect.changing)) + told)


def _totals(effect: NodeEffect) -> str:
    """What is done to how many objects, all plans together."""
    totals = Counter[str]()
    for plan in effect.changing:
        totals.update(counts(plan))
    clashing = sum(bool(plan.clashes) for plan in effect.changing)
    told = [f"{totals[verb]} to {verb}" for verb in ("add", "change", "replace", "delete") if totals[verb]]
    return ", ".join(told + ([f"{clashing} refused"] if clashing else []))


def lines(effect: NodeEffect, whole: bool) -> Iterator[str]:
    """Each owner's plan, then what waits or is refused, then what networks newly complain of."""
    for plan in effect.changing:
        yield from _plan_lines(plan, effect.plan.titles.get(plan.owner, plan.owner), whole)
    for result in effect.plan.results:
        yield f"{effect.plan.titles.get(result.owner, result.owner)}: {result.message}"
    for remark in effect.remarks:
        yield f"{remark.network}: {remark.reason}: {remark.message}"


def is_shortened(effect: NodeEffect) -> bool:
    """Whether a summary leaves something out."""
    return any(_is_long(plan) for plan in effect.changing)


def _is_long(plan: Plan) -> bool:
    return plan.render().count("\n") >= SHORT_LINES


def _plan_lines(plan: Plan, title: str, whole: bool) -> list[str]:
    rendered = plan.render(title=title).split("\n")
    if whole or len(rendered) <= SHORT_LINES:
        return rendered
    return [f"{title}: {summary_line(plan)}"]
