"""The way out of the judgement for a transaction that doesn't count."""

from __future__ import annotations

from reconciler.ledger.verdict import Reason


class Rejected(Exception):
    """Carries the reason from where it is found to `judge`, which alone catches it."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
