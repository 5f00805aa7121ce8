"""`tnet agent`: keep this node converged."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.node_config_file import config_option
from reconciler.cli.output import example


@click.command(
    epilog=example("tnet agent", "systemctl enable --now tnet-agent", "systemctl reload tnet-agent")
)
@config_option
@click.option("-v", "--verbose", is_flag=True, help="Log every pass, the timer's too.")
def command(config: Path, verbose: bool) -> None:
    """Follow the ledger and keep this node's kernel as it says, until stopped.

    Wakes on a timer, on a push into a local repository, on SIGHUP, and when a wireguard-go ends.
    Stopping it (SIGTERM) leaves the networks up; starting it again goes on from what is there.
    """
    from reconciler.agent.assemble import assemble
    from reconciler.agent.config import load_config
    from reconciler.agent.journal_log import set_up_logging
    from reconciler.agent.lock import node_lock
    from reconciler.agent.loop import Publisher, run
    from reconciler.agent.wake import Waker, local_repository, signals, watching
    from reconciler.services.exit_watch import ExitWatch

    set_up_logging(verbose)
    settings = load_config(config)
    waker = Waker(settings.interval_seconds)
    exits = ExitWatch(lambda device: waker.wake(f"the wireguard-go of {device} has ended"))
    with (
        node_lock(settings.state),
        signals(waker),
        watching(local_repository(settings.remote), waker),
        exits.running(),
    ):
        node, publisher = assemble(settings), Publisher(settings.status_file)
        run(node, publisher, waker, after_pass=lambda: exits.look(settings.run / "wireguard"))
