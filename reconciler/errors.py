"""The root of everything tnet raises on purpose."""

from __future__ import annotations


class TnetError(Exception):
    """Something a person has to know: the message says what, where and why; `advice` what to do.

    Neither ever holds a secret.
    """

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.advice = advice
