"""Exit codes, and how a failure is told."""

from __future__ import annotations

import os
import sys

import click

from reconciler.errors import TnetError

OK = 0
FAILED = 1
SOMETHING_TO_DO = 2
USAGE = 64  # EX_USAGE of sysexits.h; click's own 2 would say "something to do"
INTERRUPTED = 130  # 128 + SIGINT, as shells report it


def report_failure(message: str, advice: str = "") -> None:
    """Print the message, and the advice indented below it, on stderr."""
    click.echo(f"tnet: error: {message}", err=True)
    for line in advice.splitlines():
        click.echo(f"  {line}", err=True)


def report_tnet_error(error: TnetError) -> int:
    report_failure(str(error), error.advice)
    return FAILED


def report_os_error(error: OSError) -> int:
    """A file or device that failed where no verb knew better: the system's own words and the file."""
    where = f"{error.filename}: " if error.filename else ""
    report_failure(f"{where}{error.strerror or error}")
    return FAILED


def report_usage(error: click.ClickException) -> int:
    error.show()
    return USAGE


def abandon_stdout() -> int:
    """Whoever read our output has gone (`tnet log | head`): end quietly, also at interpreter exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return FAILED
