"""Writes down the whole network state of a machine, so that two moments can be compared.

Prints one JSON object: `{"<namespace>: <what>": [lines]}`. Left out is what changes by itself: counters,
timers, learned entries, and the numbers that the kernel hands out. It never asks for a private key.

    snapshot.py ADDRESS ...

ADDRESS is a NAT router's: where a peer that dials in is seen to come from, sooner or later.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from reconciler.lab.inside.namespaces import inside, is_namespace, named

Json = Any
_NOISE = frozenset(
    (
        "ifindex",
        "link_index",
        "link_netnsid",
        "handle",
        "packets",
        "bytes",
        "metainfo",
        "expires",
        "used",
        "operstate",
        "valid_life_time",
        "preferred_life_time",
    )
)
# A link's and a route's: the kernel sets them from the carrier (which is LOWER_UP), but up to 1 s later.
_LATE_FLAGS = frozenset(("NO-CARRIER", "linkdown"))
_LISTINGS: dict[str, list[str]] = {
    "links": ["ip", "-json", "-details", "link"],
    "addresses": ["ip", "-json", "address"],
    "routes": ["ip", "-json", "-4", "route", "show", "table", "all"],
    "routes 6": ["ip", "-json", "-6", "route", "show", "table", "all"],
    "rules": ["ip", "-json", "-4", "rule"],
    "rules 6": ["ip", "-json", "-6", "rule"],
    "neighbours": ["ip", "-json", "neighbour", "show", "nud", "permanent"],
    "fdb": ["bridge", "-json", "fdb"],
    "nftables": ["nft", "--json", "list", "ruleset"],
}
_WIREGUARD = ("public-key", "listen-port", "peers", "endpoints", "allowed-ips", "persistent-keepalive")
_SYSCTLS = ("forwarding", "rp_filter", "accept_ra", "accept_dad", "autoconf", "addr_gen_mode", "proxy_arp")


def without_noise(value: Json) -> Json:
    """The same value without members that say nothing about what was configured."""
    if isinstance(value, dict):
        kept = ((key, each) for key, each in value.items() if key not in _NOISE and "_timer" not in key)
        return {key: without_noise(each) for key, each in kept}
    if isinstance(value, list):
        return [without_noise(each) for each in value if not is_late(each)]
    return value


def is_late(value: Json) -> bool:
    """A flag that says what another one has said before."""
    return isinstance(value, str) and value in _LATE_FLAGS


def essence(entry: Json) -> Json:
    """An entry of a listing without noise; of an address listing only the addresses, of a veth not the
    MAC, which the kernel throws dice for."""
    kept = without_noise(entry)
    if isinstance(kept, dict) and "addr_info" in kept:
        return {"ifname": kept["ifname"], "addresses": kept["addr_info"]}
    if isinstance(kept, dict) and kept.get("linkinfo", {}).get("info_kind") == "veth":
        kept.pop("address", None)
    return kept


def is_learned(entry: Json) -> bool:
    """A forwarding entry that a bridge has learned by itself."""
    return isinstance(entry, dict) and "mac" in entry and "ifname" in entry and not entry.get("state")


def listing(text: str) -> list[str]:
    """One line an object, in an order that does not depend on when they were made (rules of nftables
    keep their order within their chain)."""
    document = json.loads(text or "[]")
    entries = document["nftables"] if isinstance(document, dict) else document
    lines = [json.dumps(essence(each), sort_keys=True) for each in entries if not is_learned(each)]
    return lines if isinstance(document, dict) else sorted(lines)


def listings(namespace: str) -> dict[str, list[str]]:
    running = {
        what: subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        for what, command in _LISTINGS.items()
    }
    return {f"{namespace or 'node'}: {what}": listing(_output(each)) for what, each in running.items()}


def _output(process: subprocess.Popen[str]) -> str:
    """Raises CalledProcessError: a listing that failed must not look like an empty one."""
    out, _ = process.communicate()
    if process.returncode != 0:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    return out


def wireguard_devices() -> list[str]:
    """Those of the namespace that we are in; by name, which is the same for kernel and userspace ones."""
    links = json.loads(subprocess.check_output(["ip", "-json", "link"], text=True))
    names = (link["ifname"] for link in links)
    return [name for name in names if name.startswith("w") and len(name) == 14]


def endpoint(line: str, routers: Sequence[str]) -> str:
    """One line of `wg show DEVICE endpoints`; whether a peer behind NAT has dialled yet is no difference."""
    peer, place = line.split()
    dials = place == "(none)" or place.rpartition(":")[0].strip("[]") in routers
    return f"{peer} {'dials in' if dials else place}"


def wireguard_lines(device: str, what: str) -> list[str]:
    """A device whose daemon is not there (yet, or any more) has one line that says so."""
    shown = subprocess.run(["wg", "show", device, what], capture_output=True, text=True, check=False)
    if shown.returncode != 0:
        return ["does not answer"]
    lines = shown.stdout.splitlines()
    return [endpoint(line, sys.argv[1:]) for line in lines] if what == "endpoints" else lines


def wireguard(namespace: str) -> dict[str, list[str]]:
    found = {}
    for device in wireguard_devices():
        for what in _WIREGUARD:
            lines = wireguard_lines(device, what)
            found[f"{namespace}: wireguard {device} {what}"] = sorted(lines)
    return found


def sysctls(namespace: str) -> dict[str, list[str]]:
    paths = (
        path
        for family in ("ipv4", "ipv6")
        for name in _SYSCTLS
        for path in Path(f"/proc/sys/net/{family}/conf").glob(f"*/{name}")
    )
    lines = sorted(f"{path.relative_to('/proc/sys/net')} {path.read_text().strip()}" for path in paths)
    return {f"{namespace or 'node'}: sysctls": lines}


def daemons() -> dict[str, list[str]]:
    """The userspace WireGuard processes, by their arguments."""
    lines = [line for line in _command_lines() if line.partition(" ")[0].endswith("wireguard-go")]
    return {"node: daemons": sorted(lines)}


def _command_lines() -> Iterable[str]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield path.read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            continue  # it has ended since


_PARTS: tuple[Callable[[str], dict[str, list[str]]], ...] = (listings, wireguard, sysctls)


def snapshot() -> dict[str, list[str]]:
    everything = daemons()
    for namespace in ("", *named()):
        if not is_namespace(namespace):
            everything[f"{namespace}: file"] = ["a file that is no namespace (yet)"]
            continue
        with inside(namespace):
            for part in _PARTS:
                everything |= part(namespace)
    return everything


def main() -> int:
    json.dump(snapshot(), sys.stdout)
    return 0
