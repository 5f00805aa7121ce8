"""`tnet node config`."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.agent.config import DEFAULT_PATH, load_config
from reconciler.authoring import yaml_write
from reconciler.cli.names import NODE, Pair
from reconciler.cli.output import example, output_option, print_json
from reconciler.errors import TnetError
from reconciler.ledger.anchor import Anchor
from reconciler.ledger.checkpoints import checkpoint_branch
from reconciler.ledger.repository.objects import CommitId


@click.command(
    epilog=example(
        "tnet node config paris/p1 --remote https://git.example.org/ledger.git \\",
        "    --anchor 3f1c… --root-key SHA256:Qm9v…",
    )
)
@click.argument("node", type=NODE, metavar="FARM/NODE")
@click.option("--remote", required=True, metavar="URL", help="The ledger: https, ssh, or a path.")
@click.option("--anchor", required=True, metavar="COMMIT", help="The ledger's first commit, its whole id.")
@click.option(
    "--root-key",
    "root_keys",
    required=True,
    multiple=True,
    metavar="SHA256:…",
    help="A root key's fingerprint; repeat it for each root key.",
)
@click.option("--branch", metavar="BRANCH", default="main", show_default=True)
@click.option(
    "--checkpoints",
    default=checkpoint_branch.NAME,
    show_default=True,
    metavar="BRANCH",
    help="Where witnesses and snapshots are looked for; '' for nowhere.",
)
@click.option(
    "--interval", type=click.FloatRange(1, 86400), default=30.0, show_default=True, metavar="SECONDS"
)
@click.option("--state-dir", default="/var/lib/tnet", show_default=True, metavar="DIR")
@click.option("--run-dir", default="/run/tnet", show_default=True, metavar="DIR")
@click.option("--file", type=click.Path(path_type=Path), default=DEFAULT_PATH, show_default=True)
@click.option("--force", is_flag=True, help="Write over a configuration that says something else.")
@output_option
def command(
    node: Pair,
    remote: str,
    anchor: str,
    root_keys: tuple[str, ...],
    branch: str,
    checkpoints: str,
    interval: float,
    state_dir: str,
    run_dir: str,
    file: Path,
    force: bool,
    output: str,
) -> None:
    """Write the agent's configuration on this host: which node it is, and whose ledger it follows.

    Take anchor and root keys from somebody you trust, not from the forge.
    """
    Anchor(CommitId(anchor), frozenset(root_keys))  # says what is wrong with them
    fields = {
        "node": str(node),
        "remote": remote,
        "branch": branch,
        "checkpoints": checkpoints,
        "anchor": anchor,
        "rootKeys": list(root_keys),
        "stateDir": state_dir,
        "runDir": run_dir,
        "intervalSeconds": interval,
    }
    _write(file, yaml_write.block(fields), force)
    if output == "json":
        return print_json({"file": str(file), **fields})
    click.echo(f"wrote {file}: this host is {node}")
    return click.echo("next: tnet plan, then systemctl enable --now tnet-agent")


def _write(file: Path, text: str, force: bool) -> None:
    """Into place only once it has been read back: a bad value leaves the old file."""
    if not force and file.exists() and file.read_text(encoding="utf-8") != text:
        raise TnetError(f"{file} says something else already", "look at it; --force writes over it")
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.new")
    try:
        draft.write_text(text, encoding="utf-8")
        load_config(draft)
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
