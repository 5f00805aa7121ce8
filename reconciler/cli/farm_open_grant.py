"""`tnet farm open-grant`."""

from __future__ import annotations

import click

from reconciler.authoring import farms
from reconciler.cli.editing import Editor, editing_options
from reconciler.cli.names import FARM, LABEL
from reconciler.cli.output import example
from reconciler.model.documents import OpenGrant


@click.command(
    epilog=example(
        "tnet farm open-grant paris --max-per-tenant 2 --max-resources 40",
        "tnet farm open-grant paris --max-per-tenant 2 --max-resources 40 --max-per-node 1 --node p1",
        "tnet farm open-grant paris --close",
    )
)
@click.argument("farm", type=FARM)
@click.option("--max-per-tenant", type=click.IntRange(0), help="How many each may have, over all nodes.")
@click.option("--max-resources", type=click.IntRange(0), help="How many all of them together.")
@click.option(
    "--node", "nodes", type=LABEL, multiple=True, help="Only there; repeatable (default: all nodes)."
)
@click.option(
    "--max-per-node",
    type=click.IntRange(1),
    default=None,
    help="How many each may have on one node (default: no bound).",
)
@click.option("--close", is_flag=True, help="No tenant without a grant of its own any more.")
@editing_options
def command(
    editor: Editor,
    farm: str,
    max_per_tenant: int | None,
    max_resources: int | None,
    nodes: tuple[str, ...],
    max_per_node: int | None,
    close: bool,
) -> None:
    """Let tenants place resources that have no grant of their own, as long as there is room.

    One with a grant of its own has that and nothing of this. Signed by a farmer.
    """
    named = max_per_tenant is not None and max_resources is not None
    if close and (max_per_tenant, max_resources, nodes, max_per_node) != (None, None, (), None):
        raise click.UsageError("--close stands alone")
    if not close and not named:
        raise click.UsageError("give --max-per-tenant and --max-resources, or --close")
    editor.make(
        farms.open_grant(editor.model, farm, _spec(max_per_tenant, max_resources, max_per_node, nodes))
    )


def _spec(
    max_per_tenant: int | None, max_resources: int | None, max_per_node: int | None, nodes: tuple[str, ...]
) -> OpenGrant | None:
    if max_per_tenant is None or max_resources is None:
        return None
    return OpenGrant(
        max_resources_per_tenant=max_per_tenant,
        max_resources=max_resources,
        max_resources_per_node=max_per_node,
        nodes=nodes,
    )
