"""Names as arguments: `FARM/NODE`, `TENANT/NETWORK`, and a plain name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import click
from click.shell_completion import CompletionItem

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_RULE = "lower-case letters, digits and hyphens, at most 63, no hyphen at either end"


class Pair(NamedTuple):
    """Two names that are one: the outer (farm or tenant) and the inner (node or network)."""

    outer: str
    inner: str

    def __str__(self) -> str:
        return f"{self.outer}/{self.inner}"


class LabelType(click.ParamType[str]):
    """A DNS label."""

    name = "name"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not _LABEL.fullmatch(value):
            self.fail(f"{value!r} is not a name: {_RULE}", param, ctx)
        return value


class PairType(click.ParamType[Pair]):
    """`OUTER/INNER`, completed from the files of the work tree."""

    def __init__(self, name: str, pattern: str, outer: int, inner: int) -> None:
        self.name = name
        self._pattern = pattern
        self._outer, self._inner = outer, inner

    def convert(self, value: str | Pair, param: click.Parameter | None, ctx: click.Context | None) -> Pair:
        if isinstance(value, Pair):
            return value
        parts = value.split("/")
        if len(parts) != 2 or not all(_LABEL.fullmatch(part) for part in parts):
            self.fail(f"{value!r} is not {self.name}: two names ({_RULE}) with a / between", param, ctx)
        return Pair(*parts)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        root = Path(ctx.params.get("repo") or ".")
        found = (path.relative_to(root).with_suffix("").parts for path in root.glob(self._pattern))
        names = sorted(f"{parts[self._outer]}/{parts[self._inner]}" for parts in found)
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]


LABEL = LabelType()
NODE = PairType("FARM/NODE", "farms/*/nodes/*.yaml", 1, 3)
NETWORK = PairType("TENANT/NETWORK", "tenants/*/*/networks/*.yaml", 2, 4)
