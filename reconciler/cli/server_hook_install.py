"""`tnet server-hook install`."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.output import example, say
from reconciler.cli.pinned_ledger import anchor_options, own_git_directory, pinned
from reconciler.forge.hook_file import find_place, find_program, install
from reconciler.forge.server_config import DEFAULT_DEADLINE_S, ServerConfig, write_config
from reconciler.forge.standing import ledger_standing, wanted_settings


@click.command(
    epilog=example(
        "tnet server-hook install /srv/git/ledger.git --anchor 3f1c… --root-key SHA256:Qm9v…",
        "tnet server-hook install --signed-only --deadline 60",
    )
)
@click.argument("repository", type=click.Path(path_type=Path, file_okay=False), default=".", metavar="[REPO]")
@anchor_options
@click.option("--branch", metavar="BRANCH", default="main", show_default=True, help="The ledger's branch.")
@click.option(
    "--checkpoints",
    metavar="BRANCH",
    default="tnet-checkpoints",
    show_default=True,
    help="The branch that holds checkpoints.",
)
@click.option("--signed-only", is_flag=True, help="Other branches take only signed changes of documents.")
@click.option(
    "--deadline",
    type=click.IntRange(1, 3600),
    default=int(DEFAULT_DEADLINE_S),
    show_default=True,
    metavar="SECONDS",
    help="How long a push may take to judge; then it is refused.",
)
@click.option(
    "--program",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="The `tnet` that the hook calls (default: this one).",
)
def command(
    repository: Path,
    anchor: str | None,
    root_keys: tuple[str, ...],
    branch: str,
    checkpoints: str,
    signed_only: bool,
    deadline: int,
    program: Path | None,
) -> None:
    """Refuse at the door what nodes would reject: puts a pre-receive hook into a server's repository REPO.

    It takes onto the ledger's branch only what continues it and what every node would accept. Another hook
    that is there is kept and called afterwards. Installing again changes the settings and nothing else.
    """
    ledger = pinned(own_git_directory(repository), anchor, root_keys)
    config = ServerConfig(ledger.anchor, branch, checkpoints, signed_only, deadline)
    standing = ledger_standing(ledger.git_dir, config)
    place, called = find_place(ledger.git_dir), find_program() if program is None else program.absolute()
    write_config(ledger.git_dir, config, wanted_settings(ledger.git_dir))
    install(place, called)
    if standing.tip is None:
        found = f"no branch {branch} yet: the first push has to lead to the anchor"
    else:
        found = f"{standing.transactions} transactions on {branch}, {standing.rejected} rejected"
    click.echo(f"{place.path}: installed ({found})")
    say("next: tnet server-hook status")
