"""How the fake says no: like a kernel (an errno), or as a test's own mistake (not modelled)."""

from __future__ import annotations


class NotModelled(AssertionError):
    """Something was asked that the fake does not know how Linux would answer.

    Never turned into an errno: a fake that guesses proves nothing. Whoever meets it teaches the fake, and
    the comparison with a real kernel, what is missing.
    """


class Refused(Exception):
    """The kernel refuses one message with an errno and, where it has one, its extended text."""

    def __init__(self, code: int, text: str = "") -> None:
        super().__init__(code, text)
        self.code = code
        self.text = text
