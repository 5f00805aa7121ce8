"""`tnet farm remove`."""

from __future__ import annotations

import click

from reconciler.authoring import farms
from reconciler.cli.editing import Editor, editing_options
from reconciler.cli.names import FARM
from reconciler.cli.output import example


@click.command(epilog=example("tnet farm remove lyon --dry-run", "tnet farm remove lyon"))
@click.argument("farm", type=FARM)
@editing_options
def command(editor: Editor, farm: str) -> None:
    """Strike a farm out; says what that suspends. Signed by root.

    Its nodes and grants are its farmers' to remove, and stay written down if they haven't; networks there
    keep their numbers and run again if the farm comes back.
    """
    editor.make(farms.remove_farm(editor.model, farm))
