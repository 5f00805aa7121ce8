"""The option that the verbs on a node share: which configuration file says who the node is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def config_option(function: F) -> F:
    """Adds `--config FILE` (environment: TNET_CONFIG); the verb gets a Path as `config`."""
    option = click.option(
        "--config",
        type=click.Path(path_type=Path),
        default=Path("/etc/tnet/agent.yaml"),
        show_default=True,
        envvar="TNET_CONFIG",
        help="The node's configuration.",
    )
    return option(function)
