"""Hand-made packets are well-formed: otherwise their being dropped would prove nothing."""

from __future__ import annotations

import socket
import struct

from reconciler.lab.inside.echo import checksum
from reconciler.lab.inside.forge import frame, ipv4, udp, vxlan


def test_checksum_of_a_known_header() -> None:
    """The worked example of RFC 1071, section 3: its sum is ddf2."""
    assert checksum(bytes.fromhex("0001f203f4f5f6f7")) == ~0xDDF2 & 0xFFFF


def test_a_header_with_its_checksum_sums_to_zero() -> None:
    assert checksum(ipv4("192.0.2.1", "192.0.2.2", b"payload")[:20]) == 0


def test_an_ipv4_packet_says_its_length_and_addresses() -> None:
    packet = ipv4("192.0.2.1", "192.0.2.2", udp(9, 9, b"x"))
    assert struct.unpack("!H", packet[2:4])[0] == len(packet) == 29
    assert packet[12:20] == socket.inet_aton("192.0.2.1") + socket.inet_aton("192.0.2.2")


def test_a_vxlan_header_has_the_flag_and_the_vni_in_its_upper_bits() -> None:
    """RFC 7348, section 5."""
    assert vxlan(0x123456, b"frame") == bytes.fromhex("0800000012345600") + b"frame"


def test_the_inner_frame_goes_to_the_given_mac_and_carries_the_token() -> None:
    packet = {
        "mac": "02:00:00:00:00:77",
        "inner_source": "10.0.0.1",
        "inner_destination": "10.0.0.2",
        "token": "t-1.",
    }
    made = frame(packet)
    assert made[:6] == bytes.fromhex("020000000077")
    assert made[12:14] == b"\x08\x00"
    assert made.endswith(b"t-1.")
