"""The way out of the judgement for a transaction that doesn't count (docs/spec/ledger.md, section 7)."""

from __future__ import annotations

from reconciler.ledger.verdict import Reason


class Rejected(Exception):
    """Carries the reason from where it is found to `judge`, which alone turns it into a verdict.

    `hint` is an advice that fits better than the reason's own.
    """

    def __init__(self, reason: Reason, detail: str, hint: str = "") -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.hint = hint
