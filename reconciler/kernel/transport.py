"""The six seams between tnet and a kernel. There are two implementations: the real one, and a fake that
speaks the same bytes. Everything above this line is the same for both.

Namespaces are given by name; `HOST` ("") is the agent's own. Every method that names a namespace raises
`NamespaceMissing` if there is none by that name. A seam that is refused as a whole raises
`TransportError` with an errno; a refused message inside a batch is reported in its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from reconciler.errors import TnetError


class TransportError(TnetError):
    """A seam refused: `code` is an errno, the message says what was asked and never holds a secret."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class NamespaceMissing(TransportError):
    """There is no namespace of that name (or it was replaced under us)."""


@dataclass(frozen=True, slots=True)
class Ack:
    """The kernel's answer to one message: 0 or an errno, and its extended text (NLMSGERR_ATTR_MSG)."""

    code: int
    text: str = ""


class Transport(Protocol):
    # --- seam 1: rtnetlink ---------------------------------------------------------------------
    def route_request(self, namespace: str, messages: Sequence[bytes]) -> list[Ack]:
        """Send whole netlink messages (header included; sequence numbers are set here) in a pipeline.

        Returns one acknowledgement a message, in order. Messages after a failed one still execute.
        """
        ...

    def route_dump(self, namespace: str, message: bytes) -> list[bytes]:
        """Send one NLM_F_DUMP request; returns the answering messages, headers included, without
        NLMSG_DONE. A dump that the kernel marks as interrupted is read again, a bounded number of times.
        """
        ...

    def route_await_gone(self, namespace: str, link: str, timeout_s: float) -> bool:
        """Wait until the namespace has no link of that name; False if it still has at the deadline. (The
        other end of a veth whose namespace was just deleted lives until the kernel has finished.)"""
        ...

    # --- seam 2: the kernel's WireGuard, generic netlink -----------------------------------------
    def wireguard_request(self, namespace: str, payloads: Sequence[bytes]) -> list[Ack]:
        """Send WG_CMD_SET_DEVICE payloads (generic netlink header and attributes, no nlmsghdr)."""
        ...

    def wireguard_dump(self, namespace: str, payload: bytes) -> list[bytes]:
        """Send one WG_CMD_GET_DEVICE payload; returns the answering payloads, unmerged."""
        ...

    # --- seam 3: a userspace WireGuard, text over its UAPI socket --------------------------------
    def wireguard_uapi(self, device: str, request: str) -> str:
        """One request (`set=1` or `get=1` and its lines, ended by an empty line); returns the answer."""
        ...

    # --- seam 4: nftables, one transaction a call ------------------------------------------------
    def nft(self, namespace: str, document: str) -> str:
        """Run a libnftables JSON document as one transaction; returns the JSON it prints ("" if none)."""
        ...

    def nft_generation(self, namespace: str) -> int:
        """A number that changes with every nftables transaction in the namespace, whoever makes it
        (NFT_MSG_GETGEN): while it stays, what was listed before still holds."""
        ...

    # --- seam 5: sysctl --------------------------------------------------------------------------
    def sysctl_read(self, namespace: str, paths: Sequence[str]) -> list[str | None]:
        """The values under /proc/sys, None for a path that isn't there."""
        ...

    def sysctl_write(self, namespace: str, values: Sequence[tuple[str, str]]) -> list[Ack]: ...

    # --- seam 6: namespaces and processes ----------------------------------------------------------
    def namespaces(self) -> Mapping[str, tuple[int, int]]:
        """Every named namespace under /run/netns with the (device, inode) that tells it from a successor."""
        ...

    def namespace_add(self, name: str, birth: Sequence[bytes] = ()) -> None:
        """Make a named namespace. `birth` are rtnetlink messages carried out in it *before* it gets its name,
        so that none is ever seen without its marker. EEXIST if the name is taken."""
        ...

    def namespace_delete(self, name: str) -> None:
        """Close what is kept open in it, then remove it. What lived in it may go a little later."""
        ...

    def namespace_handle(self, name: str) -> int:
        """A number that stands for the namespace in IFLA_NET_NS_FD; good until the namespace goes."""
        ...

    def wireguard_kind(self) -> str:
        """`kernel` or `userspace`: which WireGuard devices this transport makes (see the probe)."""
        ...

    def wireguard_start(self, namespace: str, device: str) -> None:
        """Start a userspace WireGuard whose UDP sockets are in `namespace`, and wait until its link and
        its UAPI socket are there. It outlives this process."""
        ...

    def wireguard_stop(self, device: str) -> None:
        """End the userspace WireGuard of that device, if there is one, and wait until it has gone."""
        ...

    def wireguard_running(self) -> frozenset[str]:
        """The devices whose userspace WireGuard answers."""
        ...

    def close(self) -> None:
        """Close every socket and file descriptor; nothing in the kernel changes."""
        ...
