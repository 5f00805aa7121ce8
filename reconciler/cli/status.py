"""`tnet status`: what the node's agent says of itself."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec

from reconciler.agent.config import DEFAULT_PATH, load_config
from reconciler.agent.status import Condition, NetworkStatus, Status, read_status

_EPILOG = """\b
Examples:
  tnet status                    what is accepted, converged and healthy
  tnet status -o json            the same for programs
  tnet status --exit-code        exit 1 unless every condition holds
"""


@click.command(epilog=_EPILOG)
@click.option("--config", type=click.Path(path_type=Path), default=DEFAULT_PATH, show_default=True)
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--exit-code", is_flag=True, help="Exit 1 unless every condition holds.")
def command(config: Path, output: str, exit_code: bool) -> None:
    """Show what this node has accepted from the ledger and made of it."""
    status = read_status(load_config(config).status_file)
    if output == "json":
        click.echo(msgspec.json.format(msgspec.json.encode(status), indent=2))
    else:
        click.echo("\n".join(_lines(status)))
    sys.exit(1 if exit_code and not status.ready else 0)


def _lines(status: Status) -> list[str]:
    lines = [
        f"node      {status.node}  (agent {status.pid}, pass {status.passes}, {status.time})",
        f"ledger    tip {status.tip[:12] or '-'}  mark {status.mark[:12] or '-'}  state {status.state_hash[:16] or '-'}",
    ]
    if status.alarm:
        lines.append(f"ALARM     {status.alarm}")
    lines += [_condition(condition) for condition in status.node_conditions]
    for network in status.networks:
        lines += _network(network)
    lines += _rejections(status)
    return lines


def _condition(condition: Condition, indent: str = "  ") -> str:
    mark = "+" if condition.status else "!"
    return f"{indent}{mark} {condition.type:<10} {condition.reason}  {condition.message}".rstrip()


def _network(network: NetworkStatus) -> list[str]:
    head = (
        f"network   {network.tenant}/{network.network}  ({network.netid}, from {network.commit[:12] or '-'})"
    )
    return [head, *(_condition(condition) for condition in network.conditions)]


def _rejections(status: Status) -> list[str]:
    lines = []
    for rejection in status.rejected:
        lines.append(f"rejected  {rejection.commit[:12]}  {rejection.code}  {rejection.subject}")
        lines.append(f"            {rejection.detail}")
        if rejection.advice:
            lines.append(f"            {rejection.advice}")
    return lines
