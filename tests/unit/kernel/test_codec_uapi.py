"""The text spoken with a userspace WireGuard, both ways."""

from __future__ import annotations

from base64 import b64encode
from ipaddress import ip_address, ip_network

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from reconciler.kernel.codec import uapi
from reconciler.kernel.objects import WireGuardPeer

KEY = b64encode(bytes(range(32))).decode()
HEX = bytes(range(32)).hex()


def peer(endpoint: str | None) -> WireGuardPeer:
    where = None if endpoint is None else (ip_address(endpoint), 51820)
    allowed = frozenset({ip_network("10.2.0.0/24"), ip_network("fd02::/64")})
    return WireGuardPeer("tnet-a", "w0", KEY, allowed, where, 25)


def test_a_device_is_set_without_touching_its_peers() -> None:
    assert uapi.set_device(bytes(range(32)), 51820) == f"set=1\nprivate_key={HEX}\nlisten_port=51820\n\n"
    assert uapi.set_device(None, 51821) == "set=1\nlisten_port=51821\n\n"


@pytest.mark.parametrize(
    ("endpoint", "line"),
    [
        ("192.0.2.1", "endpoint=192.0.2.1:51820"),
        ("2001:db8::1", "endpoint=[2001:db8::1]:51820"),
        (None, None),
    ],
)
def test_a_peer_is_set_as_a_whole(endpoint: str | None, line: str | None) -> None:
    lines = uapi.set_peer(peer(endpoint), update_only=True).splitlines()
    assert lines[:3] == ["set=1", f"public_key={HEX}", "update_only=true"]
    assert [item for item in lines if item.startswith("endpoint")] == ([line] if line else [])
    assert lines[-4:-1] == ["replace_allowed_ips=true", "allowed_ip=10.2.0.0/24", "allowed_ip=fd02::/64"]


def test_a_peer_is_removed_without_being_made() -> None:
    expected = f"set=1\npublic_key={HEX}\nupdate_only=true\nremove=true\n\n"
    assert uapi.remove_peer(peer(None)) == expected


def test_what_a_daemon_answers_is_read_without_its_private_key() -> None:
    private = X25519PrivateKey.generate()
    answer = (
        f"private_key={private.private_bytes_raw().hex()}\nlisten_port=51820\nfwmark=0\n"
        f"public_key={HEX}\npreshared_key={'0' * 64}\nprotocol_version=1\nendpoint=[fe80::1%eth0]:5\n"
        "last_handshake_time_sec=1\ntx_bytes=5\npersistent_keepalive_interval=25\nallowed_ip=10.2.0.0/24\n"
        f"public_key={'ff' * 32}\nallowed_ip=fd02::/64\nallowed_ip=10.3.0.0/24\nerrno=0\n\n"
    )
    device = uapi.decode_device("w0", answer)
    assert device.public_key == b64encode(private.public_key().public_bytes_raw()).decode()
    assert device.listen_port == 51820
    first, second = device.peers
    assert (first.public_key, first.endpoint, first.keepalive_s) == (KEY, (ip_address("fe80::1"), 5), 25)
    assert second.allowed_ips == {ip_network("fd02::/64"), ip_network("10.3.0.0/24")}
    assert second.endpoint is None
    assert private.private_bytes_raw().hex() not in repr(device)


def test_errors_are_positive_errnos() -> None:
    assert uapi.error_of("errno=0\n\n") == 0
    assert uapi.error_of("errno=-22\n\n") == 22
    assert uapi.error_of("errno=22\n\n") == 22


def test_a_device_without_a_key() -> None:
    assert uapi.decode_device("w0", f"private_key={'0' * 64}\nerrno=0\n\n").public_key == ""
    assert uapi.decode_device("w0", "listen_port=5\nerrno=0\n\n").public_key == ""
