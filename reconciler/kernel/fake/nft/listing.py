"""Tables as libnftables 1.0.6 lists them in JSON: the table, its sets, its chains, then all rules."""

from __future__ import annotations

from typing import Any

from reconciler.kernel.fake.nft import grammar
from reconciler.kernel.fake.nft.tables import Chain, Rule, Set, Table

METAINFO = {"metainfo": {"version": "1.0.6", "release_name": "Lester Gooch #5", "json_schema_version": 1}}

_Line = dict[str, Any]


def head(table: Table) -> _Line:
    return {"table": {"family": table.family, "name": table.name, "handle": table.handle}}


def table(one: Table) -> list[_Line]:
    rules = [_rule(one, chain, rule) for chain in one.chains for rule in chain.rules]
    return [
        head(one),
        *(_set(one, item) for item in one.sets),
        *(_chain(one, item) for item in one.chains),
        *rules,
    ]


def one_chain(home: Table, chain: Chain) -> list[_Line]:
    return [_chain(home, chain), *(_rule(home, chain, rule) for rule in chain.rules)]


def _set(home: Table, item: Set) -> _Line:
    line: _Line = {"family": home.family, "name": item.name, "table": home.name, "type": item.type}
    line["handle"] = item.handle
    if item.interval:
        line["flags"] = ["interval"]
    if item.elements:
        line["elem"] = [grammar.written(element) for element in item.elements]
    return {"set": line}


def _chain(home: Table, item: Chain) -> _Line:
    line: _Line = {"family": home.family, "table": home.name, "name": item.name, "handle": item.handle}
    if item.hook is not None:
        hook = item.hook
        line |= {"type": hook.type, "hook": hook.hook, "prio": hook.priority, "policy": hook.policy}
    return {"chain": line}


def _rule(home: Table, chain: Chain, item: Rule) -> _Line:
    line: _Line = {"family": home.family, "table": home.name, "chain": chain.name, "handle": item.handle}
    if item.comment:
        line["comment"] = item.comment
    line["expr"] = grammar.write_rule(item.matches, item.verdict, item.ports)
    return {"rule": line}
