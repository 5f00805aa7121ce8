"""`tnet server-hook status`."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli import exits
from reconciler.cli.output import example, output_option, print_json
from reconciler.cli.pinned_ledger import own_git_directory
from reconciler.forge.server_config import ServerConfig, read_config
from reconciler.forge.standing import HookStanding, LedgerStanding, hook_standing, ledger_standing


@click.command(
    epilog=example("tnet server-hook status /srv/git/ledger.git", "tnet server-hook status -o json")
)
@click.argument("repository", type=click.Path(path_type=Path, file_okay=False), default=".", metavar="[REPO]")
@output_option
@click.pass_context
def command(context: click.Context, repository: Path, output: str) -> None:
    """Show whether the hook is in force, its settings, and how the ledger stands there.

    Exit code 1 if the hook isn't called or one of git's settings that belong to it is missing.
    """
    git_dir = own_git_directory(repository)
    config, hook = read_config(git_dir), hook_standing(git_dir)
    ledger = ledger_standing(git_dir, config)
    if output == "json":
        print_json(_plain(config, hook, ledger))
    else:
        click.echo("\n".join(_lines(config, hook, ledger)))
    context.exit(exits.OK if hook.ok else exits.FAILED)


def _lines(config: ServerConfig, hook: HookStanding, ledger: LedgerStanding) -> list[str]:
    state = "in force" if hook.place.is_called else "NOT INSTALLED: tnet server-hook install"
    standing = "empty" if ledger.tip is None else f"{ledger.transactions} transactions, tip {ledger.tip[:12]}"
    told = [
        f"hook         {hook.place.path}: {state}",
        f"ledger       {config.branch}: {standing}, {ledger.rejected} rejected",
        f"state        {ledger.state_hash or 'none'}",
        f"anchor       {config.anchor.commit}",
        f"checkpoints  {config.checkpoints}: newer ones only",
        f"others       {'signed changes only' if config.signed_only else 'free'}",
        f"deadline     {config.deadline_s:g} s",
    ]
    return [*told, *(f"MISSING      git config {name}" for name in hook.missing)]


def _plain(config: ServerConfig, hook: HookStanding, ledger: LedgerStanding) -> dict[str, object]:
    return {
        "ok": hook.ok,
        "hook": str(hook.place.path),
        "in_force": hook.place.is_called,
        "missing": list(hook.missing),
        "anchor": config.anchor.commit,
        "root_keys": sorted(config.anchor.root_fingerprints),
        "branch": config.branch,
        "checkpoints": config.checkpoints,
        "signed_only": config.signed_only,
        "deadline_s": config.deadline_s,
        "tip": ledger.tip,
        "transactions": ledger.transactions,
        "rejected": ledger.rejected,
        "state_hash": ledger.state_hash,
    }
