"""How verbs that write a tenant's keys down are given the proofs of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click


def proof_options(whose: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Adds `--proof` (as `proofs`: files open for reading, for `whose` key) and `--threshold`."""
    proofs = click.option(
        "--proof",
        "proofs",
        type=click.File(encoding="utf-8"),
        multiple=True,
        required=True,
        help=f"What `tnet tenant prove` printed for {whose} key; repeatable.",
    )
    threshold = click.option(
        "--threshold", type=click.IntRange(1), default=1, help="How many of them sign (default 1)."
    )
    return lambda function: proofs(threshold(function))
