"""What can go wrong with a lab."""

from __future__ import annotations

from reconciler.errors import TnetError


class LabError(TnetError):
    """The lab can't be set up, found or used as asked."""


class CommandFailed(LabError):
    """A command inside the lab ended badly: the message has the command and its last words."""
