"""What the transport asks of whoever runs userspace WireGuards (`services.wireguard_go` does)."""

from __future__ import annotations

from typing import Protocol


class WireGuardDaemons(Protocol):
    def start(self, device: str) -> None:
        """Start one whose UDP sockets are in the calling thread's network namespace, and wait until its link
        is there and its UAPI socket answers. It outlives this process. Raises TransportError."""
        ...

    def stop(self, device: str) -> None:
        """End the one of that device, if there is one, and wait until it has gone. Raises TransportError."""
        ...

    def running(self) -> frozenset[str]:
        """The devices whose daemon lives."""
        ...


class NoWireGuardDaemons:
    """For kernels that have WireGuard themselves, and for what makes no WireGuard device."""

    def start(self, device: str) -> None:
        raise NotImplementedError(f"nobody here runs a userspace WireGuard for {device}")

    def stop(self, device: str) -> None:
        return None

    def running(self) -> frozenset[str]:
        return frozenset()
