"""A click group that knows its verbs from a table and imports a verb's module only to run it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module

import click
from click.shell_completion import CompletionItem


@dataclass(frozen=True, slots=True)
class Verb:
    """A command in module `reconciler.cli.<module>`, under the name `command`."""

    module: str
    summary: str


@dataclass(frozen=True, slots=True)
class Branch:
    """A group of verbs: `tnet farm add`."""

    summary: str
    verbs: Mapping[str, Verb] = field(default_factory=dict)


class LazyGroup(click.Group):
    """Lists, completes and resolves its verbs from a table."""

    def __init__(
        self,
        name: str,
        table: Mapping[str, Verb | Branch],
        help: str,
        epilog: str = "",
        sections: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """`sections`: headings for the help, with the verbs below each; without, all are under one."""
        super().__init__(name, help=help, epilog=epilog or None, no_args_is_help=True)
        self.table = table
        self.sections = sections or {"Commands": tuple(table)}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = self.table.get(cmd_name)
        if entry is None:
            return None
        if isinstance(entry, Branch):
            return LazyGroup(cmd_name, entry.verbs, entry.summary)
        command: click.Command = import_module(f"reconciler.cli.{entry.module}").command
        command.name = cmd_name
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        longest = max(map(len, self.table), default=0)
        for heading, names in self.sections.items():
            rows = [(name.ljust(longest), self.table[name].summary) for name in names if name in self.table]
            with formatter.section(heading):
                formatter.write_dl(rows)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        options = click.Command.shell_complete(self, ctx, incomplete)
        verbs = [
            CompletionItem(name, help=entry.summary)
            for name, entry in self.table.items()
            if name.startswith(incomplete)
        ]
        return [*verbs, *options]
