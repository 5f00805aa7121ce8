"""`tnet apply`: converge this node once."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli import exits
from reconciler.cli.node_config_file import config_option
from reconciler.cli.output import example, output_option


@click.command(
    epilog=example("tnet plan; tnet apply", "tnet apply --no-fetch", "tnet apply --confirm-removals")
)
@click.option("--no-fetch", is_flag=True, help="Use the clone as it is; ask no remote.")
@click.option(
    "--confirm-removals", is_flag=True, help="Remove networks even when most of them would leave at once."
)
@config_option
@output_option
@click.pass_context
def command(
    context: click.Context, no_fetch: bool, confirm_removals: bool, config: Path, output: str
) -> None:
    """Fetch, judge, and make this node's kernel what the ledger says; then show the status.

    Exit code 0 if all of it holds, 1 if not. Refuses while an agent runs: it does the same.
    """
    from reconciler.agent.assemble import assemble
    from reconciler.agent.config import load_config
    from reconciler.agent.lock import node_lock
    from reconciler.agent.loop import Publisher
    from reconciler.cli.status import show

    settings = load_config(config)
    with node_lock(settings.state):
        report = assemble(settings).run_pass(fetch=not no_fetch, confirmed=confirm_removals)
        status = Publisher(settings.status_file).publish(report)
    show(status, output)
    context.exit(exits.OK if report.ok else exits.FAILED)
