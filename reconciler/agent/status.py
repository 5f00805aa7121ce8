"""What a node says of itself: conditions of the node and of each network, in a file that anybody may read.

Types of condition, the same everywhere:

Accepted   the ledger could be read and judged (of a network: its newest transaction was accepted)
Converged  the kernel is what the effective state says
Healthy    what was built works as far as this node can see
Fresh      a witness has lately seen what this node sees (of the node, if the policy names witnesses)
"""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from reconciler.errors import TnetError
from reconciler.whole_file import write_whole


class StatusUnavailable(TnetError):
    """There is no status, or it can't be read."""


class Condition(Struct, frozen=True, kw_only=True):
    """One statement: `status` holds or not, `reason` for programs, `message` for people."""

    type: str
    status: bool
    reason: str
    message: str = ""


class Rejection(Struct, frozen=True, kw_only=True):
    """A transaction on the ledger that doesn't count, and why."""

    commit: str
    code: str
    detail: str
    advice: str = ""
    subject: str = ""


class WitnessStatus(Struct, frozen=True, kw_only=True):
    """The newest witness that counts: what it saw and when. Times are UTC (RFC 3339)."""

    sequence: int
    position: int
    commit: str
    issued: str
    expires: str
    age_seconds: int
    stale: bool
    signers: tuple[str, ...] = ()


class CheckpointNote(Struct, frozen=True, kw_only=True):
    """A checkpoint that doesn't count here, and why."""

    code: str
    message: str
    advice: str = ""


class NetworkStatus(Struct, frozen=True, kw_only=True):
    """One network on this node; `commit` is the transaction that its desired state comes from.

    `ipv4` and `ipv6` are the slices of the network's ranges that are on this node, empty if none is built.
    """

    tenant: str
    network: str
    netid: str
    commit: str
    ipv4: str = ""
    ipv6: str = ""
    conditions: tuple[Condition, ...] = ()

    @property
    def ready(self) -> bool:
        return all(condition.status for condition in self.conditions)


class Status(Struct, frozen=True, kw_only=True):
    """The whole of `status.json`. `passes` counts since the agent's start, `time` is UTC (RFC 3339).

    `begun_at` is the position of the snapshot from which the ledger was judged here, 0 for the anchor.
    """

    node: str
    pid: int
    time: str
    passes: int
    tip: str = ""
    mark: str = ""
    state_hash: str = ""
    alarm: str = ""
    begun_at: int = 0
    witness: WitnessStatus | None = None
    checkpoint_notes: tuple[CheckpointNote, ...] = ()
    rejected: tuple[Rejection, ...] = ()
    node_conditions: tuple[Condition, ...] = ()
    networks: tuple[NetworkStatus, ...] = ()

    @property
    def ready(self) -> bool:
        return all(condition.status for condition in self.node_conditions) and all(
            network.ready for network in self.networks
        )


def write_status(status: Status, path: Path) -> None:
    """Replace the file in one step, so that a reader sees the old status or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = msgspec.json.format(msgspec.json.encode(status), indent=2) + b"\n"
    write_whole(path, content, mode=0o644)


def read_status(path: Path) -> Status:
    """Raises StatusUnavailable if there is none, or none that can be understood."""
    advice = "is the agent running? systemctl status tnet-agent, or run `tnet apply` once"
    try:
        return msgspec.json.decode(path.read_bytes(), type=Status)
    except FileNotFoundError:
        raise StatusUnavailable(f"{path}: no agent has written a status here yet", advice) from None
    except (OSError, msgspec.DecodeError, msgspec.ValidationError) as error:
        raise StatusUnavailable(f"{path}: can't be read: {error}", advice) from error
