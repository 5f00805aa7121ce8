"""`tnet farm grant`."""

from __future__ import annotations

import click

from reconciler.authoring import farms
from reconciler.cli.editing import Editor, editing_options
from reconciler.cli.names import FARM, LABEL, TENANT
from reconciler.cli.output import example
from reconciler.model.documents import GrantSpec


@click.command(
    epilog=example(
        "tnet farm grant paris acme --max-resources 10",
        "tnet farm grant paris acme --max-resources 2 --node p1 --node p2",
        "tnet farm grant paris acme --max-resources 50 --max-per-node 5",
    )
)
@click.argument("farm", type=FARM)
@click.argument("tenant", type=TENANT)
@click.option("--max-resources", type=click.IntRange(0), required=True, help="How many, over all its nodes.")
@click.option(
    "--node", "nodes", type=LABEL, multiple=True, help="Only there; repeatable (default: all nodes)."
)
@click.option(
    "--max-per-node", type=click.IntRange(1), default=None, help="How many on one node (default: no bound)."
)
@editing_options
def command(
    editor: Editor,
    farm: str,
    tenant: str,
    max_resources: int,
    nodes: tuple[str, ...],
    max_per_node: int | None,
) -> None:
    """Let a tenant place resources on a farm, or change what it may place. Signed by a farmer.

    What goes beyond a lowered grant is suspended (said before, with --dry-run), keeps its numbers, and runs
    again when there is room.
    """
    spec = GrantSpec(max_resources=max_resources, max_resources_per_node=max_per_node, nodes=nodes)
    editor.make(farms.grant(editor.model, farm, tenant, spec))
