"""What this kernel can do, found out by trying it in a namespace that nobody else sees.

Asking for versions or modules would be guessing: a feature can be built in, a module, missing, or forbidden
to this process. Nothing that is tried here outlives the trial.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address

from reconciler.kernel.codec.link import vrf_data, vxlan_data
from reconciler.kernel.linux.kept_namespace import KeptNamespace
from reconciler.kernel.linux.libnftables import NftContext
from reconciler.kernel.linux.scratch import scratch_namespace, try_link
from reconciler.kernel.transport import Ack, TransportError

_TUN = "/dev/net/tun"
_WIREGUARD_PROGRAM = "wireguard-go"
_ROOT_ADVICE = "run tnet as root (CAP_SYS_ADMIN and CAP_NET_ADMIN)"
_KERNEL_ADVICE = (
    "load the module (modprobe {0}) or run a kernel that has it, such as Debian's linux-image-amd64"
)


@dataclass(frozen=True, slots=True)
class Capability:
    """`reason` and `advice` are for the person, and empty where `available`; `variant` tells which of several
    ways it is there (`wireguard`: `kernel` or `userspace`)."""

    name: str
    available: bool
    reason: str = ""
    advice: str = ""
    variant: str = ""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """By name: namespaces, bridge, veth, vxlan, vrf, wireguard, nftables, tun."""

    by_name: Mapping[str, Capability] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Capability:
        return self.by_name[name]

    @property
    def missing(self) -> tuple[Capability, ...]:
        return tuple(item for item in self.by_name.values() if not item.available)


def probe() -> Capabilities:
    """Takes some milliseconds. Raises nothing: what can't be tried isn't available, with the reason."""
    try:
        with scratch_namespace() as scratch:
            found = [Capability("namespaces", True), *_tried(scratch)]
    except OSError as error:
        reason = f"no network namespace can be made: {error.strerror}"
        found = [Capability(name, False, reason, _ROOT_ADVICE) for name in ("namespaces", *_TRIALS)]
    return Capabilities({item.name: item for item in found})


def _tried(scratch: KeptNamespace) -> list[Capability]:
    return [trial(scratch) for trial in _TRIALS.values()]


def _link_trial(kind: str, data: bytes = b"") -> Callable[[KeptNamespace], Capability]:
    def trial(scratch: KeptNamespace) -> Capability:
        return _judged(kind, try_link(scratch, kind, data))

    return trial


def _judged(kind: str, ack: Ack) -> Capability:
    if ack.code == 0:
        return Capability(kind, True)
    if ack.code == errno.EPERM:
        return Capability(kind, False, f"links of kind {kind} are forbidden to this process", _ROOT_ADVICE)
    reason = f"this kernel makes no links of kind {kind}: {ack.text or os.strerror(ack.code)}"
    return Capability(kind, False, reason, _KERNEL_ADVICE.format(kind))


def _wireguard(scratch: KeptNamespace) -> Capability:
    """The kernel's own, or else the program, which needs TUN."""
    in_kernel = _judged("wireguard", try_link(scratch, "wireguard"))
    if in_kernel.available:
        return Capability("wireguard", True, variant="kernel")
    if shutil.which(_WIREGUARD_PROGRAM) is None:
        reason = f"this kernel has no WireGuard, and there is no {_WIREGUARD_PROGRAM}"
        return Capability("wireguard", False, reason, f"install the Debian package {_WIREGUARD_PROGRAM}")
    tun = _tun(scratch)
    if not tun.available:
        reason = f"this kernel has no WireGuard, and {_WIREGUARD_PROGRAM} needs TUN: {tun.reason}"
        return Capability("wireguard", False, reason, tun.advice)
    return Capability("wireguard", True, variant="userspace")


def _nftables(scratch: KeptNamespace) -> Capability:
    """The library, and a table with a NAT chain, which is what older kernels lack in family inet."""
    chain = (
        '{"family": "inet", "table": "try", "name": "c", "type": "nat", "hook": "postrouting", "prio": 100}'
    )
    table = '{"add": {"table": {"family": "inet", "name": "try"}}}'
    try:
        with scratch.enter():
            context = NftContext()
        try:
            context.run(f'{{"nftables": [{table}, {{"add": {{"chain": {chain}}}}}]}}')
        finally:
            context.close()
    except TransportError as error:
        return Capability("nftables", False, str(error), error.advice or _KERNEL_ADVICE.format("nf_tables"))
    return Capability("nftables", True)


def _tun(_scratch: KeptNamespace) -> Capability:
    try:
        os.close(os.open(_TUN, os.O_RDWR | os.O_CLOEXEC))
    except OSError as error:
        return Capability("tun", False, f"{_TUN}: {error.strerror}", _KERNEL_ADVICE.format("tun"))
    return Capability("tun", True)


_TRIALS: dict[str, Callable[[KeptNamespace], Capability]] = {
    "bridge": _link_trial("bridge"),
    "veth": _link_trial("veth"),
    "vxlan": _link_trial("vxlan", vxlan_data(1, IPv4Address("127.0.0.1"), 4789, 0)),
    "vrf": _link_trial("vrf", vrf_data(10)),
    "wireguard": _wireguard,
    "nftables": _nftables,
    "tun": _tun,
}
