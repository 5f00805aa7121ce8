"""`tnet node reanchor`."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.agent.assemble import ledger_config
from reconciler.agent.config import load_config
from reconciler.cli.node_config_file import config_option
from reconciler.cli.output import example, output_option, print_json
from reconciler.ledger.ledger import Ledger
from reconciler.ledger.signatures import signed_text


@click.command(epilog=example("tnet node reanchor fork.reanchor && systemctl reload tnet-agent"))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@config_option
@output_option
def command(file: Path, config: Path, output: str) -> None:
    """Let this node leave a fork, by a record that root has signed.

    Take FILE from root, not from the forge. What can be told at once is checked at once: that it is for
    this ledger and this fork, that it is new, and that enough of root have signed, as root was when this
    node last accepted something. The rest the node sees when it follows it.
    """
    ledger = Ledger(ledger_config(load_config(config)))
    try:
        with file.open("rb") as opened:
            signed = ledger.take_reanchor(opened.read(signed_text.MAX_BYTES + 1))
    finally:
        ledger.close()
    if output == "json":
        return print_json({"sequence": signed.record.sequence, "new": signed.record.new})
    click.echo(f"this node will follow the {signed.record} to {signed.record.new[:12]}")
    click.echo("next: systemctl reload tnet-agent (or: tnet apply), then: tnet status")
    return None
