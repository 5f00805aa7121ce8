"""What is plugged into a network on this node: which namespace, as which interface, with which addresses.

Containers come and go by the hand of whoever runs them, so attachments are not in the ledger. They are
remembered in the node's state directory, one file each, so that a network that was built anew gets its
containers back.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from reconciler.errors import TnetError
from reconciler.whole_file import write_whole

_NAMESPACE = re.compile(r"^(/[^\0]+|[A-Za-z0-9._@-]{1,200})$")
_INTERFACE = re.compile(r"^[A-Za-z0-9._-]{1,15}$")
FIRST_HOST = 2
"""Host number of the first container of a NR; 1 is the bridge."""


class AttachmentError(TnetError):
    """A namespace can't be attached as asked."""


class Attachment(Struct, frozen=True, kw_only=True):
    """`namespace` is a name that `ip netns` knows or the path of a namespace file. `seen` tells which one it
    was, where the path alone doesn't (`plug.seen`)."""

    tenant: str
    network: str
    netid: str
    namespace: str
    interface: str
    ipv4: IPv4Interface
    ipv6: IPv6Interface
    gateway_ipv4: IPv4Address
    gateway_ipv6: IPv6Address
    seen: str = ""

    @property
    def identity(self) -> str:
        """13 characters that tell this plug from every other on the node."""
        text = f"{self.netid}\0{self.namespace}\0{self.interface}"
        return base64.b32encode(hashlib.sha256(text.encode()).digest())[:13].decode().lower()

    @property
    def port(self) -> str:
        """Name of the bridge's port in the network's namespace."""
        return f"c{self.identity}"


def new_attachment(
    tenant: str,
    network: str,
    netid: str,
    slices: tuple[IPv4Network, IPv6Network],
    namespace: str,
    interface: str,
    taken: Iterable[Attachment],
    address: IPv4Address | None = None,
    seen: str = "",
) -> Attachment:
    """Choose addresses in the NR's slices: the asked one, or the first that no other attachment has.

    IPv4 and IPv6 have the same host number. Raises AttachmentError for a bad name, an address outside
    the slice or taken, or when the slice is full.
    """
    _check_names(namespace, interface)
    ipv4, ipv6 = slices
    others = tuple(other for other in taken if other.netid == netid)
    if any((other.namespace, other.interface) == (namespace, interface) for other in others):
        raise AttachmentError(
            f"{namespace} is attached to {tenant}/{network} as {interface} already",
            f"detach it first: tnet detach {tenant}/{network} {namespace}",
        )
    host = _host_number(ipv4, {int(other.ipv4.ip) - int(ipv4.network_address) for other in others}, address)
    return Attachment(
        tenant=tenant,
        network=network,
        netid=netid,
        namespace=namespace,
        interface=interface,
        ipv4=IPv4Interface((int(ipv4.network_address) + host, ipv4.prefixlen)),
        ipv6=IPv6Interface((int(ipv6.network_address) + host, ipv6.prefixlen)),
        gateway_ipv4=ipv4.network_address + 1,
        gateway_ipv6=ipv6.network_address + 1,
        seen=seen,
    )


def _check_names(namespace: str, interface: str) -> None:
    if not _NAMESPACE.match(namespace):
        raise AttachmentError(f"{namespace!r} is no namespace", "give a name of `ip netns`, or a path")
    if Path(namespace).name.startswith("tnet-"):
        raise AttachmentError(f"{namespace} is a namespace of tnet's own", "attach a container's")
    if not _INTERFACE.match(interface):
        raise AttachmentError(f"{interface!r} is no interface name", "at most 15 letters, digits, . _ -")


def _host_number(ipv4: IPv4Network, taken: set[int], address: IPv4Address | None) -> int:
    last = ipv4.num_addresses - 2
    if address is None:
        free = next((host for host in range(FIRST_HOST, last + 1) if host not in taken), None)
        if free is None:
            raise AttachmentError(f"no address is free in {ipv4}", "detach a namespace that is not needed")
        return free
    host = int(address) - int(ipv4.network_address)
    if not FIRST_HOST <= host <= last:
        raise AttachmentError(
            f"{address} can't be given to a container here",
            f"choose one from {ipv4.network_address + FIRST_HOST} to {ipv4.network_address + last}",
        )
    if host in taken:
        raise AttachmentError(
            f"{address} is taken by another attachment", "leave --address out to get a free one"
        )
    return host


def _address(kind: Callable[[str], Any], text: str) -> Any:
    """Addresses are written as text, and read back by their own class."""
    return kind(text)


class AttachmentStore:
    """The attachments of a node, a file each; written whole or not at all."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def all(self) -> tuple[Attachment, ...]:
        """Sorted by file; raises AttachmentError that names a file that can't be understood."""
        if not self._directory.is_dir():
            return ()
        return tuple(self._read(path) for path in sorted(self._directory.glob("*.json")))

    def _read(self, path: Path) -> Attachment:
        try:
            return msgspec.json.decode(path.read_bytes(), type=Attachment, dec_hook=_address)
        except (OSError, msgspec.DecodeError, msgspec.ValidationError) as error:
            raise AttachmentError(
                f"{path}: {error}", "remove the file and attach the namespace again"
            ) from error

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else attaches, detaches or plugs again meanwhile. Raises AttachmentError."""
        try:
            self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = (self._directory / ".lock").open("ab")
        except OSError as error:
            raise AttachmentError(f"{self._directory} can't be used: {error.strerror}") from error
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def add(self, attachment: Attachment) -> None:
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        content = msgspec.json.encode(attachment, enc_hook=str)
        write_whole(self._path(attachment), content, durable=True)

    def remove(self, attachment: Attachment) -> None:
        self._path(attachment).unlink(missing_ok=True)

    def _path(self, attachment: Attachment) -> Path:
        return self._directory / f"{attachment.identity}.json"
