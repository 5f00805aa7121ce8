"""A table in nft's own language, as a person would write it into a file for `nft -f`."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.kernel.nftables import Chain, Match, NftRule, NftTable, Value


def nft_text(table: NftTable) -> str:
    lines = [f"table inet {table.name} {{", f"  chain owner-{table.owner} {{ }}"]
    for item in table.sets:
        elements = ", ".join(sorted(map(str, item.prefixes)))
        kind = f"type ipv{item.family}_addr; flags interval;"
        body = f" elements = {{ {elements} }}" if elements else ""
        lines.append(f"  set {item.name} {{ {kind}{body} }}")
    for chain in table.chains:
        lines += _chain(chain)
    return "\n".join([*lines, "}", ""])


def _chain(chain: Chain) -> Iterator[str]:
    yield f"  chain {chain.name} {{"
    yield f"    type {chain.type} hook {chain.hook} priority {chain.priority}; policy {chain.policy};"
    yield from (f"    {_rule(rule)}" for rule in chain.rules)
    yield "  }"


def _rule(rule: NftRule) -> str:
    ports = " to :{}-{}".format(*rule.ports) if rule.ports else ""
    comment = f' comment "{rule.comment}"' if rule.comment else ""
    return " ".join([*map(_match, rule.matches), rule.verdict]) + ports + comment


def _match(match: Match) -> str:
    values = sorted(_value(match, value) for value in match.values)
    right = values[0] if len(values) == 1 else "{ " + ", ".join(values) + " }"
    return f"{match.field}{' !=' if match.negated else ''} {right}"


def _value(match: Match, value: Value) -> str:
    named = isinstance(value, str) and value.startswith("@")
    return f'"{value}"' if match.field in ("iifname", "oifname") and not named else str(value)
