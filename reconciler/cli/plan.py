"""`tnet plan`: what would change on this node."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli import exits
from reconciler.cli.node_config_file import config_option
from reconciler.cli.output import example, output_option, print_json, say

if TYPE_CHECKING:
    from reconciler.agent.config import AgentConfig
    from reconciler.engine.converge import NodePlan


@click.command(
    epilog=example("tnet plan", "tnet plan -o json | jq '.plans[].owner'", "tnet plan --no-fetch; echo $?")
)
@click.option("--no-fetch", is_flag=True, help="Use the clone as it is; ask no remote.")
@config_option
@output_option
@click.pass_context
def command(context: click.Context, no_fetch: bool, config: Path, output: str) -> None:
    """Compare this node's kernel with the ledger and change nothing.

    Exit code 0 if there is nothing to do, 2 if there is, 1 if that can't be told.
    """
    from reconciler.agent.config import load_config

    node_plan = _plan(load_config(config), fetch=not no_fetch)
    if output == "json":
        print_json(_builtins(node_plan))
    else:
        click.echo(_text(node_plan))
    context.exit(exits.OK if node_plan.empty else exits.SOMETHING_TO_DO)


def _plan(settings: AgentConfig, fetch: bool) -> NodePlan:
    """With a running agent the clone is the agent's to write: plan from what it has fetched."""
    from reconciler.agent.assemble import assemble
    from reconciler.agent.lock import AlreadyRunning, node_lock

    node = assemble(settings)
    try:
        with node_lock(settings.state):
            return node.plan(fetch=fetch)
    except AlreadyRunning:
        say("an agent is running: planning from what it has fetched")
        return node.plan(fetch=False)


def _text(node_plan: NodePlan) -> str:
    called, colour = node_plan.titles, sys.stdout.isatty()
    changing = [plan for plan in node_plan.plans if not plan.empty]
    shown = [plan.render(colour=colour, title=called.get(plan.owner, "")) for plan in changing]
    shown += [f"{called.get(result.owner, result.owner)}: {result.message}" for result in node_plan.results]
    return "\n\n".join(shown) or "Nothing to do: the kernel is what the ledger says."


def _builtins(node_plan: NodePlan) -> dict[str, object]:
    return {
        "plans": [plan.to_builtins() for plan in node_plan.plans if not plan.empty],
        "waiting": [{"owner": result.owner, "message": result.message} for result in node_plan.results],
    }
