"""What can go wrong while a person edits the ledger."""

from __future__ import annotations

from reconciler.errors import TnetError


class AuthoringError(TnetError):
    """The edit can't be made; nothing was changed."""


class WorkTreeError(AuthoringError):
    """The directory isn't a repository in which one can commit now."""


class SigningError(AuthoringError):
    """There is no key to sign with, or signing with it failed."""


class RejectedError(AuthoringError):
    """The commit would be rejected by every node, so it wasn't made."""


class NothingToDo(AuthoringError):
    """What was asked for is so already."""
