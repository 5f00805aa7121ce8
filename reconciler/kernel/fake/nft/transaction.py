"""A libnftables JSON document as one transaction over a namespace's tables: all of it or nothing."""

from __future__ import annotations

import errno
import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from reconciler.kernel.fake.nft import grammar, listing
from reconciler.kernel.fake.nft.tables import Chain, Hook, Rule, Set, Table
from reconciler.kernel.fake.refusals import NotModelled, Refused

Tables = Mapping[tuple[str, str], Table]
"""By family and name."""

FAMILY = "inet"
SET_VERSIONS = {"ipv4_addr": 4, "ipv6_addr": 6}
HOOKS = {
    "filter": ("input", "forward", "output", "prerouting", "postrouting"),
    "nat": ("input", "output", "prerouting", "postrouting"),
}
POLICIES = ("accept", "drop")
LONGEST_COMMENT = 128


class Transaction:
    """Runs the commands of one document; `tables` is the state after them."""

    def __init__(self, tables: Tables, last_table_handle: int) -> None:
        self.tables = dict(tables)
        self.last_table_handle = last_table_handle
        self.changed = False
        self.printed: list[dict[str, Any]] = []

    def run(self, document: str) -> str:
        """Returns what is printed. Raises Refused, and then `tables` must be thrown away."""
        for command in json.loads(document)["nftables"]:
            if list(command) != ["metainfo"]:
                self._command(command)
        if not self.printed:
            return ""
        return json.dumps({"nftables": [listing.METAINFO, *self.printed]}) + "\n"

    def _command(self, command: dict[str, Any]) -> None:
        if len(command) != 1 or len(next(iter(command.values()))) != 1:
            raise NotModelled(f"the nft command {command}")
        verb, what = next(iter(command.items()))
        kind, item = next(iter(what.items()))
        if verb == "list":
            self.printed.extend(self._list(kind, item or {}))
            return
        handler = _HANDLERS.get((verb, kind))
        if handler is None:
            raise NotModelled(f"nft {verb} {kind}")
        self.changed = True
        handler(self, item)

    # --- finding ---------------------------------------------------------------------------------------

    def _table(self, item: Mapping[str, Any], name: str = "table") -> Table:
        _family(item)
        table = self.tables.get((item["family"], item[name]))
        if table is None:
            raise Refused(errno.ENOENT, "No such file or directory")
        return table

    def _chain(self, item: Mapping[str, Any], name: str = "chain") -> tuple[Table, Chain]:
        table = self._table(item)
        chain = table.chain(item[name])
        if chain is None:
            raise Refused(errno.ENOENT, "No such file or directory")
        return table, chain

    def _put(self, table: Table) -> None:
        self.tables[table.family, table.name] = table

    # --- tables ----------------------------------------------------------------------------------------

    def _list(self, kind: str, item: Mapping[str, Any]) -> list[dict[str, Any]]:
        if kind == "table":
            return listing.table(self._table(item, "name"))
        if kind == "chain":
            return listing.one_chain(*self._chain(item, "name"))
        family = item.get("family")
        shown = [table for table in self.tables.values() if family in (None, table.family)]
        if kind == "tables":
            return [listing.head(table) for table in shown]
        if kind == "ruleset":
            return [line for table in shown for line in listing.table(table)]
        raise NotModelled(f"nft list {kind}")

    def add_table(self, item: Mapping[str, Any], exclusive: bool = False) -> None:
        _family(item)
        _only(item, "family", "name")
        if (item["family"], item["name"]) in self.tables:
            _refuse_existing(exclusive)
            return
        self.last_table_handle += 1
        self._put(Table(item["family"], item["name"], self.last_table_handle))

    def delete_table(self, item: Mapping[str, Any]) -> None:
        table = self._table(item, "name")
        del self.tables[table.family, table.name]

    def flush_table(self, item: Mapping[str, Any]) -> None:
        table = self._table(item, "name")
        self._put(replace(table, chains=tuple(replace(chain, rules=()) for chain in table.chains)))

    # --- chains ----------------------------------------------------------------------------------------

    def add_chain(self, item: Mapping[str, Any], exclusive: bool = False) -> None:
        _only(item, "family", "table", "name", "type", "hook", "prio", "policy")
        table, hook = self._table(item), _hook(item)
        known = table.chain(item["name"])
        if known is not None:
            _refuse_existing(exclusive)
            self._put(_with_chain(table, _updated(known, hook)))
            return
        chain = Chain(table.last_handle + 1, item["name"], hook)
        self._put(replace(table, chains=(*table.chains, chain), last_handle=chain.handle))

    def delete_chain(self, item: Mapping[str, Any]) -> None:
        table, chain = self._chain(item, "name")
        self._put(replace(table, chains=tuple(one for one in table.chains if one is not chain)))

    def flush_chain(self, item: Mapping[str, Any]) -> None:
        table, chain = self._chain(item, "name")
        self._put(_with_chain(table, replace(chain, rules=())))

    # --- sets ------------------------------------------------------------------------------------------

    def add_set(self, item: Mapping[str, Any], exclusive: bool = False) -> None:
        _only(item, "family", "table", "name", "type", "flags", "elem")
        table = self._table(item)
        if item["type"] not in SET_VERSIONS or item.get("flags", []) not in ([], ["interval"]):
            raise NotModelled(f"a set of {item['type']} with flags {item.get('flags')}")
        known = table.set(item["name"])
        if known is None:
            known = Set(table.last_handle + 1, item["name"], item["type"], bool(item.get("flags")))
            table = replace(table, sets=(*table.sets, known), last_handle=known.handle)
        else:
            _refuse_existing(
                exclusive or (known.type, known.interval) != (item["type"], bool(item.get("flags")))
            )
        grown = _grown(known, item.get("elem", []))
        self._put(replace(table, sets=tuple(grown if one.name == known.name else one for one in table.sets)))

    def delete_set(self, item: Mapping[str, Any]) -> None:
        table = self._table(item)
        known = table.set(item["name"])
        if known is None:
            raise Refused(errno.ENOENT, "No such file or directory")
        if f"@{known.name}" in _used_sets(table):
            raise Refused(errno.EBUSY, "Device or resource busy")
        self._put(replace(table, sets=tuple(one for one in table.sets if one is not known)))

    # --- rules -----------------------------------------------------------------------------------------

    def add_rule(self, item: Mapping[str, Any]) -> None:
        _only(item, "family", "table", "chain", "expr", "comment")
        table, chain = self._chain(item)
        matches, verdict, ports = grammar.read_rule(item["expr"])
        _check_verdict(chain, verdict)
        for name in (str(value) for match in matches for value in match.values if str(value).startswith("@")):
            if table.set(name[1:]) is None:
                raise Refused(errno.ENOENT, "No such file or directory")
        comment = item.get("comment", "")
        if len(comment.encode()) > LONGEST_COMMENT:
            raise NotModelled("a comment of more than 128 bytes")
        handle = table.last_handle + 1 + sum(match.anonymous for match in matches)
        rule = Rule(handle, matches, verdict, comment, ports)
        table = replace(table, last_handle=handle)
        self._put(_with_chain(table, replace(chain, rules=(*chain.rules, rule))))


def _family(item: Mapping[str, Any]) -> None:
    if item["family"] != FAMILY:
        raise NotModelled(f"nft tables of family {item['family']}")


def _only(item: Mapping[str, Any], *names: str) -> None:
    if set(item) - set(names):
        raise NotModelled(f"{sorted(set(item) - set(names))} in an nft command")


def _refuse_existing(exclusive: bool) -> None:
    if exclusive:
        raise Refused(errno.EEXIST, "File exists")


def _with_chain(table: Table, chain: Chain) -> Table:
    return replace(table, chains=tuple(chain if one.name == chain.name else one for one in table.chains))


def _hook(item: Mapping[str, Any]) -> Hook | None:
    if "hook" not in item:
        return None
    hook = Hook(item["type"], item["hook"], item["prio"], item.get("policy", "accept"))
    if hook.hook not in HOOKS.get(hook.type, ()) or hook.policy not in POLICIES:
        raise NotModelled(f"the base chain {hook}")
    return hook


def _updated(known: Chain, hook: Hook | None) -> Chain:
    """A base chain's policy may change, what it hooks into may not."""
    if hook is None:
        return known
    if known.hook is None or replace(hook, policy="") != replace(known.hook, policy=""):
        raise Refused(errno.EEXIST, "File exists")
    return replace(known, hook=hook)


def _check_verdict(chain: Chain, verdict: str) -> None:
    if verdict != "masquerade":
        return
    if chain.hook is None or (chain.hook.type, chain.hook.hook) != ("nat", "postrouting"):
        raise NotModelled("masquerade outside of a nat postrouting chain")


def _used_sets(table: Table) -> set[str]:
    matches = (match for chain in table.chains for rule in chain.rules for match in rule.matches)
    return {value for match in matches for value in match.values if isinstance(value, str)}


def _grown(known: Set, elements: list[Any]) -> Set:
    """Overlapping elements are refused; equal and neighbouring ones are not."""
    new = {grammar.addresses(element, SET_VERSIONS[known.type]) for element in elements}
    if not known.interval and any(first != last for first, last in new):
        raise NotModelled("a prefix in a set that isn't an interval set")
    _check_apart(new, errno.EINVAL, "conflicting intervals specified")
    everything = new | set(known.elements)
    _check_apart(everything, errno.EEXIST, "File exists")
    return replace(known, elements=tuple(sorted(everything, key=lambda one: int(one[0]))))


def _check_apart(ranges: set[tuple[Any, Any]], code: int, text: str) -> None:
    ordered = sorted((int(first), int(last)) for first, last in ranges)
    if any(left[1] >= right[0] for left, right in itertools.pairwise(ordered)):
        raise Refused(code, text)


_HANDLERS: dict[tuple[str, str], Callable[[Transaction, Mapping[str, Any]], None]] = {
    ("add", "table"): Transaction.add_table,
    ("create", "table"): lambda run, item: run.add_table(item, exclusive=True),
    ("delete", "table"): Transaction.delete_table,
    ("flush", "table"): Transaction.flush_table,
    ("add", "chain"): Transaction.add_chain,
    ("create", "chain"): lambda run, item: run.add_chain(item, exclusive=True),
    ("delete", "chain"): Transaction.delete_chain,
    ("flush", "chain"): Transaction.flush_chain,
    ("add", "set"): Transaction.add_set,
    ("create", "set"): lambda run, item: run.add_set(item, exclusive=True),
    ("delete", "set"): Transaction.delete_set,
    ("add", "rule"): Transaction.add_rule,
}
