"""ICMP echo (RFC 792, RFC 4443) over raw sockets, for the programs that send many at once."""

from __future__ import annotations

import ipaddress
import os
import socket
import struct
from dataclasses import dataclass

_REQUEST = {4: 8, 6: 128}
_REPLY = {4: 0, 6: 129}
_HEADER = struct.Struct("!BBHHH")


def checksum(data: bytes) -> int:
    """RFC 1071."""
    padded = data + b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


@dataclass(frozen=True, slots=True)
class Reply:
    sequence: int
    source: str


class EchoSocket:
    """Sends echo requests of one family and knows its own replies by a random identifier and payload."""

    def __init__(self, family: int, mark: int = 0) -> None:
        self.family = family
        self._identifier = int.from_bytes(os.urandom(2), "big")
        self._secret = os.urandom(16)
        self.socket = self._open()
        if mark:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, mark)
        self.socket.setblocking(False)

    def _open(self) -> socket.socket:
        if self.family == 4:
            return socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        return socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)

    def send(self, address: str, sequence: int) -> None:
        """Raises OSError where the kernel itself refuses (no route, a filter on the way out)."""
        head = _HEADER.pack(_REQUEST[self.family], 0, 0, self._identifier, sequence & 0xFFFF)
        if self.family == 4:  # of ICMPv6 the kernel makes the checksum, RFC 3542 section 3.1
            total = checksum(head + self._secret)
            head = _HEADER.pack(_REQUEST[4], 0, total, self._identifier, sequence & 0xFFFF)
        self.socket.sendto(head + self._secret, (address, 0))

    def receive(self) -> Reply | None:
        """The next packet, if it is a reply to one of ours."""
        packet, peer = self.socket.recvfrom(2048)
        message = packet[(packet[0] & 0xF) * 4 :] if self.family == 4 else packet
        if len(message) < _HEADER.size or message[_HEADER.size :] != self._secret:
            return None
        kind, _, _, identifier, sequence = _HEADER.unpack_from(message)
        if (kind, identifier) != (_REPLY[self.family], self._identifier):
            return None
        return Reply(sequence, peer[0])


def family_of(address: str) -> int:
    return ipaddress.ip_address(address.partition("%")[0]).version
