"""`tnet status`: what the node's agent says of itself."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from reconciler.agent.config import load_config
from reconciler.agent.status import Condition, NetworkStatus, Status, read_status
from reconciler.cli import exits
from reconciler.cli.node_config_file import config_option
from reconciler.cli.output import example, output_option


@click.command(epilog=example("tnet status", "tnet status -o json", "tnet status --exit-code || echo look"))
@config_option
@output_option
@click.option("--exit-code", is_flag=True, help="Exit 1 unless every condition holds.")
@click.pass_context
def command(context: click.Context, config: Path, output: str, exit_code: bool) -> None:
    """Show what this node has accepted from the ledger and made of it."""
    status = read_status(load_config(config).status_file)
    show(status, output)
    context.exit(exits.FAILED if exit_code and not status.ready else exits.OK)


def show(status: Status, output: str) -> None:
    """Print a status as text or JSON."""
    if output == "json":
        click.echo(msgspec.json.format(msgspec.json.encode(status), indent=2))
    else:
        click.echo("\n".join(_lines(status)))


def _lines(status: Status) -> list[str]:
    lines = [
        f"node      {status.node}  (agent {status.pid}, pass {status.passes}, {status.time})",
        f"ledger    tip {_short(status.tip)}  mark {_short(status.mark)}  state {_short(status.state_hash)}",
    ]
    lines += _witness(status)
    if status.alarm:
        lines.append(f"ALARM     {status.alarm}")
    lines += [_condition(condition) for condition in status.node_conditions]
    for network in status.networks:
        lines += _network(network)
    lines += _rejections(status)
    return lines


def _witness(status: Status) -> list[str]:
    seen = status.witness
    lines = []
    if seen is not None:
        age = "STALE" if seen.stale else "fresh"
        by = ", ".join(seen.signers)
        lines.append(
            f"witness   {seen.sequence} by {by}: transaction {seen.position} {_short(seen.commit)}, "
            f"{seen.age_seconds} s old, {age}"
        )
    if status.begun_at:
        lines.append(f"begun     at root's snapshot of transaction {status.begun_at}")
    for note in status.checkpoint_notes:
        lines.append(f"note      {note.code}: {note.message}")
        lines += [f"            {note.advice}"] if note.advice else []
    return lines


def _short(digest: str) -> str:
    return digest[:12] or "-"


def _condition(condition: Condition, indent: str = "  ") -> str:
    mark = "+" if condition.status else "!"
    return f"{indent}{mark} {condition.type:<10} {condition.reason}  {condition.message}".rstrip()


def _network(network: NetworkStatus) -> list[str]:
    head = f"network   {network.tenant}/{network.network}  ({network.netid}, from {_short(network.commit)})"
    return [head, *(_condition(condition) for condition in network.conditions)]


def _rejections(status: Status) -> list[str]:
    lines = []
    for rejection in status.rejected:
        lines.append(f"rejected  {_short(rejection.commit)}  {rejection.code}  {rejection.subject}")
        lines.append(f"            {rejection.detail}")
        if rejection.advice:
            lines.append(f"            {rejection.advice}")
    return lines
