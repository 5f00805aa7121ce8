"""Names as arguments: `FARM/NODE`, `TENANT/NETWORK`, a plain name, a commit."""

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


class KnownLabelType(LabelType):
    """A DNS label, completed from the files of the work tree."""

    def __init__(self, name: str, pattern: str, part: int) -> None:
        self.name = name
        self._pattern = pattern
        self._part = part

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        names = sorted({parts[self._part] for parts in _matches(ctx, self._pattern)})
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]


class CommitType(click.ParamType[str]):
    """A commit, completed from the last transactions of the branch; with `ranges`, also on both sides of
    `..`."""

    name = "commit"

    def __init__(self, ranges: bool = False) -> None:
        self._ranges = ranges

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value.startswith("-") or "\n" in value:
            self.fail(f"{value!r} is not a commit", param, ctx)
        return value

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        before, dots, begun = incomplete.rpartition("..") if self._ranges else ("", "", incomplete)
        return [
            CompletionItem(f"{before}{dots}{commit}", help=subject)
            for commit, subject in _last_transactions(ctx)
            if commit.startswith(begun)
        ]


class DocumentType(CommitType):
    """A document's path, completed from the work tree; with `commits`, a commit as well."""

    name = "path"

    def __init__(self, commits: bool = False) -> None:
        super().__init__()
        self._commits = commits

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        root = Path(ctx.params.get("repo") or ".")
        files = (str(file.relative_to(root)) for top in _TOPS for file in (root / top).rglob("*.yaml"))
        paths = [CompletionItem(path) for path in sorted(files) if path.startswith(incomplete)]
        return [*paths, *(super().shell_complete(ctx, param, incomplete) if self._commits else ())]


_TOPS = ("trust", "farms", "tenants")
_COMPLETED_TRANSACTIONS = 50


def _last_transactions(ctx: click.Context) -> list[tuple[str, str]]:
    """Abbreviated id and subject. A shell that completes says nothing of what fails."""
    from git import Git, GitCommandError

    try:
        listed = str(
            Git(ctx.params.get("repo") or ".").log(
                "--first-parent", f"-n{_COMPLETED_TRANSACTIONS}", "--format=%h %s"
            )
        )
    except (GitCommandError, OSError):
        return []
    return [(line.partition(" ")[0], line.partition(" ")[2]) for line in listed.splitlines()]


def _matches(ctx: click.Context, pattern: str) -> list[tuple[str, ...]]:
    root = Path(ctx.params.get("repo") or ".")
    return [path.relative_to(root).with_suffix("").parts for path in root.glob(pattern)]


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
        found = _matches(ctx, self._pattern)
        names = sorted(f"{parts[self._outer]}/{parts[self._inner]}" for parts in found)
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]


LABEL = LabelType()
FARM = KnownLabelType("farm", "farms/*/farm.yaml", 1)
TENANT = KnownLabelType("tenant", "tenants/*/*/tenant.yaml", 2)
SUSPENDED_TENANT = KnownLabelType("tenant", "trust/suspensions/*.yaml", 2)
COMMIT = CommitType()
DOCUMENT = DocumentType()
DOCUMENT_OR_COMMIT = DocumentType(commits=True)
TRANSACTIONS = CommitType(ranges=True)
NODE = PairType("FARM/NODE", "farms/*/nodes/*.yaml", 1, 3)
NETWORK = PairType("TENANT/NETWORK", "tenants/*/*/networks/*.yaml", 2, 4)
