"""What the verbs of `tnet checkpoint` share: their options, and how a checkpoint is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from reconciler.authoring.checkpoints import CheckpointDesk, Made
from reconciler.authoring.errors import WorkTreeError
from reconciler.authoring.worktree import WorkTree
from reconciler.cli.output import print_json
from reconciler.ledger.checkpoints.checkpoint import Checkpoint, time_text
from reconciler.ledger.checkpoints.checkpoint_branch import NAME

F = TypeVar("F", bound=Callable[..., Any])


def branch_option(function: F) -> F:
    """Adds --branch and --remote."""
    for option in (
        click.option(
            "--remote",
            metavar="NAME",
            default="origin",
            show_default=True,
            help="Whose branch is looked at, too.",
        ),
        click.option(
            "--branch", metavar="BRANCH", default=NAME, show_default=True, help="The checkpoints' branch."
        ),
    ):
        function = option(function)
    return function


def push_option(function: F) -> F:
    """Adds --push."""
    return click.option("--push", is_flag=True, help="Push the branch to the remote afterwards.")(function)


def tell_made(made: Made, desk: CheckpointDesk, tree: WorkTree, remote: str, push: bool, output: str) -> None:
    """Push if asked to, and say what was made and what comes next."""
    if push:
        push_branch(tree, desk.branch, remote)
    if output == "json":
        return print_json({**as_plain(made.checkpoint), **_signing(made), "pushed": push})
    click.echo(f"{made.checkpoint}: {words(made.checkpoint)}")
    click.echo(f"  signed by {', '.join(made.signers)}")
    for line in _next(made, desk.branch, remote, push):
        click.echo(line)
    return None


def _signing(made: Made) -> dict[str, object]:
    return {"signers": list(made.signers), "missing": made.missing, "branch_commit": made.commit}


def _next(made: Made, branch: str, remote: str, push: bool) -> list[str]:
    kind = made.checkpoint.kind.value
    lines = [] if push else [f"next: git push --force {remote} {branch}"]
    if made.missing:
        lines.append(f"  {made.missing} more must sign before nodes look at it: tnet checkpoint sign {kind}")
    return lines


def push_branch(tree: WorkTree, branch: str, remote: str) -> None:
    """In place of what was last seen there; raises WorkTreeError if somebody was faster."""
    ref = f"refs/heads/{branch}"
    seen = tree.git("for-each-ref", "--format=%(objectname)", f"refs/remotes/{remote}/{branch}")
    try:
        tree.git("push", "--quiet", f"--force-with-lease={ref}:{seen}", remote, f"{ref}:{ref}")
    except WorkTreeError as error:
        raise WorkTreeError(str(error), f"git fetch {remote}, then run the same again") from None


def words(found: Checkpoint) -> str:
    """One line about what it says."""
    place = found.place
    said = f"transaction {place.position}, {place.commit[:12]}, state {place.state[:12]}"
    until = f", expires {time_text(found.expires)}" if found.expires else ""
    return f"{said}, issued {time_text(found.issued)}{until}"


def as_plain(found: Checkpoint) -> dict[str, object]:
    """For JSON."""
    place = found.place
    plain: dict[str, object] = {
        "kind": found.kind.value,
        "anchor": found.anchor,
        "sequence": found.sequence,
        "position": place.position,
        "commit": place.commit,
        "state": place.state,
        "log": place.log,
        "issued": time_text(found.issued),
    }
    if found.expires is not None:
        plain["expires"] = time_text(found.expires)
    if found.content is not None:
        plain["content"] = {"sha256": found.content.sha256, "bytes": found.content.size_bytes}
    return plain
