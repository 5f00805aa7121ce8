"""`tnet server-hook run`: what the hook calls. What it prints, git shows to whoever pushes."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import click

from reconciler.cli import exits
from reconciler.cli.log import lines as verdict_lines
from reconciler.cli.output import example, say
from reconciler.cli.pinned_ledger import git_directory
from reconciler.errors import TnetError
from reconciler.forge.deadline import deadline
from reconciler.forge.door import Door, Refusal
from reconciler.forge.push import parse_updates
from reconciler.forge.quarantine import receiving_store
from reconciler.forge.server_config import ServerConfig, read_config

TOLD_EVERY_S = 2.0


@click.command(
    epilog=example(
        "tnet server-hook run < updates      # from a pre-receive hook, where git hands over the updates"
    )
)
@click.pass_context
def command(context: click.Context) -> None:
    """Judge a push, as a pre-receive hook: git's updates on the input, its quarantine in the environment.

    Exit code 1 refuses the push: because nodes would reject it, or because that can't be told.
    """
    try:
        git_dir = git_directory(Path(os.environ.get("GIT_DIR", ".")))
        config = read_config(git_dir)
        with deadline(
            config.deadline_s, "push fewer commits at once, or have `--deadline` raised on the server"
        ):
            refusals = _judge(git_dir, config)
    except TnetError as error:
        say(f"tnet: refused, since this push can't be judged: {error}")
        say(_indented(error.advice or "tell whoever runs this server"))
        context.exit(exits.FAILED)
    for refusal in refusals:
        _tell(refusal)
    context.exit(exits.FAILED if refusals else exits.OK)


def _judge(git_dir: Path, config: ServerConfig) -> tuple[Refusal, ...]:
    updates = parse_updates(sys.stdin)
    store = receiving_store(git_dir, os.environ)
    try:
        store.check_fit()
        door = Door(store, git_dir, config.rules, _Progress())
        refusals = door.refusals(updates)
    finally:
        store.close()
    if door.accepted and not refusals:
        count = len(door.accepted)
        say(f"tnet: {count} transaction{'' if count == 1 else 's'}, accepted")
    return refusals


def _tell(refusal: Refusal) -> None:
    say(f"tnet: {refusal.ref} refused: {refusal.message}")
    for verdict in refusal.rejected:
        say(_indented("\n".join(verdict_lines(verdict))))
    say(_indented(refusal.advice))


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())


class _Progress:
    """Tells now and then how far it is, so that nobody takes long work for a hang."""

    def __init__(self) -> None:
        self._told = time.monotonic()

    def __call__(self, number: int, count: int) -> None:
        if time.monotonic() - self._told >= TOLD_EVERY_S:
            self._told = time.monotonic()
            say(f"tnet: judged {number} of {count} transactions")
