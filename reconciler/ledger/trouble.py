"""Local trouble: what keeps this machine from judging. Never a verdict, and never a reason to forget.

Whoever catches one of these keeps the last good state and tries again later.

See docs/spec/ledger.md, section 12.
"""

from __future__ import annotations

from reconciler.errors import TnetError


class LocalTrouble(TnetError):
    """This machine can't tell now what the ledger says."""


class RemoteUnreachable(LocalTrouble):
    """The remote didn't answer, refused us, or has no such branch."""


class CheckpointsMissing(RemoteUnreachable):
    """The remote has no checkpoints' branch."""


class RemoteTimeout(RemoteUnreachable):
    """The remote answered too slowly."""


class ObjectsRefused(LocalTrouble):
    """The remote sent an object that git's own checks refuse (`fetch.fsckObjects`)."""


class DiskFull(LocalTrouble):
    """No space left where the clone lies."""


class CloneCorrupted(LocalTrouble):
    """The clone is damaged, and making it anew didn't help."""


class Damaged(LocalTrouble):
    """The repository read from lacks an object or holds a damaged one."""


class CloneUnfit(LocalTrouble):
    """A clone in which history can be bent or is cut off: shallow, partial, grafts, alternates."""


class GitUnfit(LocalTrouble):
    """The git that is installed can't be relied on."""


class UnknownProtocol(LocalTrouble):
    """The policy asks for rules that this release doesn't know."""


class NoGoodState(LocalTrouble):
    """The remote contradicts what this node has accepted, and of that nothing is left here to stand on."""


class MarkDamaged(LocalTrouble):
    """The record of how far this node has come can't be read, so going back couldn't be noticed."""


class AnchorRefused(LocalTrouble):
    """The pinned commit is missing, isn't a sound beginning, or has other root keys than pinned."""
