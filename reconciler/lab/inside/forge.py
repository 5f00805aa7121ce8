"""Sends hand-made VXLAN packets (RFC 7348), as somebody would who wants into another's network.

Reads one JSON array of packets: `{"to": outer destination, "from": outer source or "", "vni": n, "mac":
inner destination MAC, "inner_source": address, "inner_destination": address, "token": text}`. The inner
frame is an IPv4 UDP datagram that carries the token. With `from`, the outer source is forged too. Prints
a JSON array: for each packet "" or what the kernel said to it.
"""

from __future__ import annotations

import ipaddress
import json
import socket
import struct
import sys
from collections.abc import Mapping

from reconciler.lab.inside.echo import checksum

VXLAN_PORT = 4789
_DISCARD_PORT = 9
_OUR_MAC = bytes.fromhex("02000000beef")


def ipv4(source: str, destination: str, payload: bytes, ttl: int = 64) -> bytes:
    """An IPv4 packet (RFC 791) with a UDP payload."""

    def header(total: int) -> bytes:
        fields = (0x45, 0, 20 + len(payload), 0, 0, ttl, socket.IPPROTO_UDP, total)
        return struct.pack("!BBHHHBBH", *fields) + socket.inet_aton(source) + socket.inet_aton(destination)

    return header(checksum(header(0))) + payload


def udp(source_port: int, destination_port: int, payload: bytes) -> bytes:
    """A UDP datagram (RFC 768); a checksum of zero means that there is none."""
    return struct.pack("!HHHH", source_port, destination_port, 8 + len(payload), 0) + payload


def frame(packet: Mapping[str, str]) -> bytes:
    """The inner Ethernet frame."""
    datagram = udp(_DISCARD_PORT, _DISCARD_PORT, packet["token"].encode())
    inner = ipv4(packet["inner_source"], packet["inner_destination"], datagram)
    return bytes.fromhex(packet["mac"].replace(":", "")) + _OUR_MAC + b"\x08\x00" + inner


def vxlan(vni: int, inner: bytes) -> bytes:
    return struct.pack("!II", 0x08000000, vni << 8) + inner


def send_plain(destination: str, payload: bytes) -> None:
    family = socket.AF_INET6 if ipaddress.ip_address(destination).version == 6 else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sender:
        sender.sendto(payload, (destination, VXLAN_PORT))


def send_forged(source: str, destination: str, payload: bytes) -> None:
    """With an outer source address that isn't ours; IPPROTO_RAW implies IP_HDRINCL (raw(7))."""
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as sender:
        outer = ipv4(source, destination, udp(40000, VXLAN_PORT, payload))
        sender.sendto(outer, (destination, 0))


def send(packet: Mapping[str, str]) -> str:
    payload = vxlan(int(packet["vni"]), frame(packet))
    try:
        if packet["from"]:
            send_forged(packet["from"], packet["to"], payload)
        else:
            send_plain(packet["to"], payload)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def main() -> int:
    json.dump([send(packet) for packet in json.load(sys.stdin)], sys.stdout)
    return 0
