"""The `tnet` command."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from reconciler import __version__
from reconciler.cli import exits
from reconciler.cli.lazy import LazyGroup
from reconciler.cli.output import example
from reconciler.cli.sections import SECTIONS
from reconciler.cli.verbs import VERBS
from reconciler.errors import TnetError

cli = LazyGroup(
    "tnet",
    VERBS,
    help="Tenant networks from a Git repository: signed YAML in, converged kernels out.",
    epilog=example("tnet init farm-ledger", "tnet network create acme/web --node paris/p1", "tnet plan"),
    sections=SECTIONS,
)
cli = click.version_option(__version__, prog_name="tnet", message="%(prog)s %(version)s")(cli)
cli.context_settings = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `tnet` with `arguments` (default: the process's) and return its exit code."""
    try:
        code = cli.main(arguments, prog_name="tnet", standalone_mode=False)
    except TnetError as error:
        return exits.report_tnet_error(error)
    except click.exceptions.Abort:
        return exits.INTERRUPTED
    except click.ClickException as error:
        return exits.report_usage(error)
    except BrokenPipeError:
        return exits.abandon_stdout()
    except OSError as error:
        return exits.report_os_error(error)
    return code if isinstance(code, int) else exits.OK


if __name__ == "__main__":
    sys.exit(main())
