"""A plan as text for a person and as JSON types for a program. Neither can hold a secret, because the
kernel's vocabulary has none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.engine.comparison import changed_fields, field_names
from reconciler.engine.difference import Replacement
from reconciler.engine.plan import Batch, Plan
from reconciler.kernel.graph import KernelObject
from reconciler.kernel.nftables import Chain, Match, NftRule, NftTable, PrefixSet
from reconciler.kernel.objects import Key
from reconciler.kernel.port import Operation

SCHEMA = 1
"""Version of what `to_builtins` returns; raised when a field changes its meaning or goes."""

_COLOURS = {"+": "32", "-": "31", "~": "33", "-/+": "35", "!": "31"}
_UNSAID = frozenset({"namespace", "name", "up"})


def render(plan: Plan, *, colour: bool = False, title: str = "") -> str:
    """The whole plan under `title` (the owner if there is none), a line an object, and one line of counts."""
    title = title or plan.owner
    if plan.empty:
        return f"{title}: nothing to do"
    lines = [f"{title}:"]
    for sign, text in _lines(plan):
        lines.append(
            f"  {_paint(sign, colour):>3} {text}" if not colour else f"  {_paint(sign, True)} {text}"
        )
    lines.append(f"  {summary_line(plan)}")
    return "\n".join(lines)


def counts(plan: Plan) -> dict[str, int]:
    """How many objects are added, changed, replaced and deleted; content that goes or comes back with
    its container counts with it."""
    replaced = {item.key for item in plan.replacements}
    found = {"add": 0, "change": 0, "replace": 0, "delete": 0}
    for operation in plan.operations():
        if operation.key not in replaced:
            found[operation.verb] += 1
    found["replace"] = sum(1 for item in plan.replacements if item.after is not None)
    found["delete"] += len(plan.replacements) - found["replace"]
    return found


def summary_line(plan: Plan) -> str:
    """`Plan: 3 to add, 1 to change, ...`, or that it is refused."""
    if plan.clashes:
        return f"Refused: {len(plan.clashes)} names are taken; nothing will be changed."
    number = counts(plan)
    return (
        f"Plan: {number['add']} to add, {number['change']} to change, "
        f"{number['replace']} to replace, {number['delete']} to delete."
    )


def _paint(sign: str, colour: bool) -> str:
    return f"\x1b[{_COLOURS[sign]}m{sign:>3}\x1b[0m" if colour else f"{sign:>3}"


def _lines(plan: Plan) -> Iterator[tuple[str, str]]:
    for clash in plan.clashes:
        yield "!", f"{clash.message}\n      {clash.advice}"
    replacements = {item.key: item for item in plan.replacements}
    for batch in plan.phase_1:
        for operation in batch:
            yield from _phase_1_lines(operation, replacements.get(operation.key))
    for batch in plan.phase_2:
        for operation in batch:
            yield "-", str(operation.key)


def _phase_1_lines(operation: Operation, replacement: Replacement | None) -> Iterator[tuple[str, str]]:
    if replacement is None:
        yield _plain_line(operation)
    elif operation.verb == "add":
        yield "-/+", _replacement_text(replacement)
    elif replacement.after is None:
        yield "-", f"{operation.key}, first: it holds what {replacement.because} claims{_loss(replacement)}"


def _plain_line(operation: Operation) -> tuple[str, str]:
    if operation.verb == "change" and operation.before is not None and operation.after is not None:
        return "~", f"{operation.key}" + "".join(_changes(operation.before, operation.after))
    return "+", f"{operation.key}{_attributes(operation.after)}"


def _replacement_text(item: Replacement) -> str:
    if item.because is not None:
        return f"{item.key}, with {item.because}{_loss(item)}"
    assert item.after is not None
    return f"{item.key}{_loss(item)}" + "".join(_changes(item.before, item.after))


def _loss(item: Replacement) -> str:
    return f" (loses {item.loss})" if item.loss else ""


def _attributes(item: KernelObject | None) -> str:
    """What the object is, beyond what its key says already."""
    if item is None or isinstance(item, NftTable):
        return ""
    said = frozenset(str(item.key).split())
    shown = [
        f"{name} {_show(value)}"
        for name in field_names(item)
        if name not in _UNSAID and (value := getattr(item, name)) not in (None, False, "")
        if isinstance(value, int) or str(value) not in said
    ]
    return f" ({', '.join(shown)})" if shown else ""


def _changes(before: KernelObject, after: KernelObject) -> Iterator[str]:
    if type(before) is not type(after):
        yield f"\n        {type(before).__name__} -> {type(after).__name__}"
        return
    if isinstance(before, NftTable) and isinstance(after, NftTable):
        yield from _table_changes(before, after)
        return
    for name in changed_fields(before, after):
        yield f"\n        {name}: {_show(getattr(before, name))} -> {_show(getattr(after, name))}"


def _table_changes(before: NftTable, after: NftTable) -> Iterator[str]:
    old, new = _table_lines(before), _table_lines(after)
    yield from (f"\n        - {line}" for line in old if line not in new)
    yield from (f"\n        + {line}" for line in new if line not in old)
    if old.keys() == new.keys():
        yield "\n        rules in another order"


def _table_lines(table: NftTable) -> Mapping[str, None]:
    lines = [f"set {item.name} {_show(item.prefixes)}" for item in table.sets]
    for chain in table.chains:
        lines.append(f"chain {chain.name} {chain.type} {chain.hook} {chain.priority} {chain.policy}")
        lines += [f"{chain.name}: {_rule(rule)}" for rule in chain.rules]
    return dict.fromkeys(lines)


def _rule(rule: NftRule) -> str:
    parts = [f"{m.field}{' !=' if m.negated else ''} {_show(m.values)}" for m in rule.matches]
    ports = [] if rule.ports is None else [f"to :{rule.ports[0]}-{rule.ports[1]}"]
    return " ".join([*parts, rule.verdict, *ports])


def _show(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, frozenset):
        return "{" + ", ".join(sorted(map(str, value))) + "}"
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], int):
        address, port = value
        return f"[{address}]:{port}" if ":" in str(address) else f"{address}:{port}"
    return str(value)


def to_builtins(plan: Plan) -> dict[str, Any]:
    """JSON types only; see docs/spec/plan.md for the fields."""
    return {
        "schema": SCHEMA,
        "owner": plan.owner,
        "empty": plan.empty,
        "summary": counts(plan),
        "clashes": [
            {"key": _key(clash.key), "holder": clash.holder, "message": clash.message, "advice": clash.advice}
            for clash in plan.clashes
        ],
        "replacements": [_replacement(item) for item in plan.replacements],
        "phase_1": _batches(plan.phase_1),
        "phase_2": _batches(plan.phase_2),
    }


def _replacement(item: Replacement) -> dict[str, Any]:
    return {
        "key": _key(item.key),
        "made_again": item.after is not None,
        "loss": item.loss,
        "because": None if item.because is None else _key(item.because),
    }


def _batches(batches: tuple[Batch, ...]) -> list[list[dict[str, Any]]]:
    return [[_operation(operation) for operation in batch] for batch in batches]


def _operation(operation: Operation) -> dict[str, Any]:
    return {
        "verb": operation.verb,
        "key": _key(operation.key),
        "before": None if operation.before is None else builtins_of(operation.before),
        "after": None if operation.after is None else builtins_of(operation.after),
    }


def _key(key: Key) -> dict[str, str]:
    return {"namespace": key.namespace, "kind": key.kind, "name": key.name}


def builtins_of(value: object) -> Any:
    """A value of the kernel's vocabulary in JSON types: addresses as text, sets sorted."""
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, tuple):
        return [builtins_of(item) for item in value]
    if isinstance(value, frozenset):
        return sorted((builtins_of(item) for item in value), key=str)
    if isinstance(value, KernelObject | Chain | NftRule | Match | PrefixSet):
        fields = {name: builtins_of(getattr(value, name)) for name in field_names(value)}
        return {"kind": type(value).__name__} | fields
    return str(value)
