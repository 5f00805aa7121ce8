"""Dates as the records show them: what committers claim. Nothing is counted or decided by them."""

from __future__ import annotations

from datetime import UTC, datetime


def claimed_date(seconds: int) -> str:
    """In UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
