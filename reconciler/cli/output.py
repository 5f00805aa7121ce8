"""What verbs share in how they print."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def output_option(function: F) -> F:
    """Adds `-o text|json`; the verb gets it as `output`."""
    option = click.option(
        "-o",
        "--output",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="For a person or for a program.",
    )
    return option(function)


def print_json(value: object) -> None:
    """Print one JSON document of plain mappings, lists and scalars."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def say(text: str) -> None:
    """Print what is not the result (progress, what was done, the next step) to stderr."""
    click.echo(text, err=True)


def example(*lines: str) -> str:
    """The epilog of a verb's help: lines a person can type."""
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in lines)
