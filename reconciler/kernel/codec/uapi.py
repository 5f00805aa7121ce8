"""A userspace WireGuard's configuration text (wireguard.com/xplatform, "Cross-platform Userspace
Implementation"): lines of `key=value`, keys in lower-case hex, ended by an empty line.

A device's private key appears in the text of `set_device`, and in the daemon's answer to `get`, out of
which `decode_device` takes the public key and nothing else.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from ipaddress import ip_address, ip_network

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from reconciler.kernel.codec.wireguard import DeviceSeen, PeerSeen
from reconciler.kernel.objects import IPAddress, IPNetwork, WireGuardPeer

GET = "get=1\n\n"


def set_device(private_key: bytes | None, listen_port: int | None) -> str:
    """Sets what is given and leaves the peers alone."""
    lines = ["set=1"]
    if private_key is not None:
        lines.append(f"private_key={private_key.hex()}")
    if listen_port is not None:
        lines.append(f"listen_port={listen_port}")
    return _request(lines)


def set_peer(peer: WireGuardPeer, *, update_only: bool) -> str:
    """The peer as a whole, its allowed IPs replaced; its session lives on.

    With `update_only` a peer that isn't there is left so.
    """
    lines = ["set=1", f"public_key={_hex(peer.public_key)}"]
    if update_only:
        lines.append("update_only=true")
    if peer.endpoint is not None:
        lines.append(f"endpoint={_endpoint(*peer.endpoint)}")
    lines.append(f"persistent_keepalive_interval={peer.keepalive_s}")
    lines.append("replace_allowed_ips=true")
    lines.extend(sorted(f"allowed_ip={network}" for network in peer.allowed_ips))
    return _request(lines)


def remove_peer(peer: WireGuardPeer) -> str:
    """No error if it isn't there."""
    return _request(["set=1", f"public_key={_hex(peer.public_key)}", "update_only=true", "remove=true"])


def error_of(answer: str) -> int:
    """The errno in an answer, positive; 0 for success. The daemon writes it as a negative number."""
    for line in answer.splitlines():
        if line.startswith("errno="):
            return abs(int(line.removeprefix("errno=")))
    return 0


def decode_device(name: str, answer: str) -> DeviceSeen:
    """The answer to GET. What it doesn't name (rx_bytes, last_handshake and the like) is left out."""
    device: dict[str, str] = {}
    peers: list[tuple[dict[str, str], set[IPNetwork]]] = []
    for key, value in _pairs(answer):
        if key == "public_key":
            peers.append(({key: value}, set()))
        elif not peers:
            device[key] = value
        elif key == "allowed_ip":
            peers[-1][1].add(ip_network(value, strict=False))
        else:
            peers[-1][0][key] = value
    return DeviceSeen(
        name=name,
        public_key=_public(device.get("private_key", "")),
        listen_port=int(device.get("listen_port", "0")),
        peers=tuple(_peer(*item) for item in peers),
    )


def _request(lines: list[str]) -> str:
    return "\n".join(lines) + "\n\n"


def _pairs(answer: str) -> list[tuple[str, str]]:
    return [
        (key, value) for key, found, value in (line.partition("=") for line in answer.splitlines()) if found
    ]


def _peer(settings: dict[str, str], allowed_ips: set[IPNetwork]) -> PeerSeen:
    endpoint = settings.get("endpoint")
    return PeerSeen(
        public_key=b64encode(bytes.fromhex(settings["public_key"])).decode(),
        endpoint=None if endpoint is None else _decode_endpoint(endpoint),
        keepalive_s=int(settings.get("persistent_keepalive_interval", "0")),
        allowed_ips=frozenset(allowed_ips),
    )


def _public(private_hex: str) -> str:
    private = bytes.fromhex(private_hex)
    if not any(private):
        return ""
    return b64encode(X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()).decode()


def _hex(public_key: str) -> str:
    return b64decode(public_key).hex()


def _endpoint(address: IPAddress, port: int) -> str:
    return f"{address}:{port}" if address.version == 4 else f"[{address}]:{port}"


def _decode_endpoint(value: str) -> tuple[IPAddress, int]:
    host, _, port = value.rpartition(":")
    return ip_address(host.strip("[]").partition("%")[0]), int(port)
