"""The real transport: the six seams of `reconciler.kernel.transport` on a Linux kernel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from reconciler.kernel.codec.nft_generation import decode_generation, get_generation
from reconciler.kernel.linux import descriptors, link_events, sysctl, uapi_socket
from reconciler.kernel.linux.kept_namespaces import KeptNamespaces
from reconciler.kernel.linux.refusals import refusals_told
from reconciler.kernel.linux.scratch import kernel_has_wireguard
from reconciler.kernel.linux.wireguard_daemons import NoWireGuardDaemons, WireGuardDaemons
from reconciler.kernel.transport import Ack

WireGuardKind = Literal["kernel", "userspace"]


class LinuxTransport:
    """To be made in the thread and the network namespace that are the node's own.

    Keeps open what it has used of each namespace (a few descriptors each). `daemons` runs userspace
    WireGuards; `wireguard` forces one kind instead of asking the kernel.
    """

    def __init__(
        self, daemons: WireGuardDaemons | None = None, wireguard: WireGuardKind | None = None
    ) -> None:
        descriptors.allow_many()
        self._kept = KeptNamespaces()
        self._daemons = daemons if daemons is not None else NoWireGuardDaemons()
        self._wireguard_kind = wireguard

    # --- seam 1: rtnetlink ---------------------------------------------------------------------

    @refusals_told
    def route_request(self, namespace: str, messages: Sequence[bytes]) -> list[Ack]:
        return self._kept[namespace].route.request(messages)

    @refusals_told
    def route_dump(self, namespace: str, message: bytes) -> list[bytes]:
        return self._kept[namespace].route.dump(message)

    @refusals_told
    def route_await_gone(self, namespace: str, link: str, timeout_s: float) -> bool:
        return link_events.await_gone(self._kept[namespace], link, timeout_s)

    # --- seam 2: the kernel's WireGuard --------------------------------------------------------

    @refusals_told
    def wireguard_request(self, namespace: str, payloads: Sequence[bytes]) -> list[Ack]:
        return self._kept[namespace].wireguard.request(payloads)

    @refusals_told
    def wireguard_dump(self, namespace: str, payload: bytes) -> list[bytes]:
        return self._kept[namespace].wireguard.dump(payload)

    # --- seam 3: a userspace WireGuard -----------------------------------------------------------

    @refusals_told
    def wireguard_uapi(self, device: str, request: str) -> str:
        return uapi_socket.ask(device, request)

    # --- seam 4: nftables ------------------------------------------------------------------------

    @refusals_told
    def nft(self, namespace: str, document: str) -> str:
        return self._kept.nft(namespace, document)

    @refusals_told
    def nft_generation(self, namespace: str) -> int:
        (answer,) = self._kept[namespace].netfilter.dump(get_generation())
        return decode_generation(answer)

    # --- seam 5: sysctl --------------------------------------------------------------------------

    @refusals_told
    def sysctl_read(self, namespace: str, paths: Sequence[str]) -> list[str | None]:
        with self._kept[namespace].enter():
            return [sysctl.read(path) for path in paths]

    @refusals_told
    def sysctl_write(self, namespace: str, values: Sequence[tuple[str, str]]) -> list[Ack]:
        with self._kept[namespace].enter():
            return [sysctl.write(path, value) for path, value in values]

    # --- seam 6: namespaces and processes --------------------------------------------------------

    @refusals_told
    def namespaces(self) -> Mapping[str, tuple[int, int]]:
        return self._kept.listed()

    @refusals_told
    def namespace_add(self, name: str, birth: Sequence[bytes] = ()) -> None:
        self._kept.add(name, birth)

    @refusals_told
    def namespace_delete(self, name: str) -> None:
        self._kept.delete(name)

    @refusals_told
    def namespace_handle(self, name: str) -> int:
        return self._kept[name].handle

    @refusals_told
    def wireguard_kind(self) -> str:
        if self._wireguard_kind is None:
            self._wireguard_kind = "kernel" if kernel_has_wireguard() else "userspace"
        return self._wireguard_kind

    @refusals_told
    def wireguard_start(self, namespace: str, device: str) -> None:
        with self._kept[namespace].enter():
            self._daemons.start(device)

    @refusals_told
    def wireguard_stop(self, device: str) -> None:
        self._daemons.stop(device)

    @refusals_told
    def wireguard_running(self) -> frozenset[str]:
        return self._daemons.running()

    def close(self) -> None:
        self._kept.close()
