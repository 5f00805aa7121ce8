"""The same objects by a shell script: what an administrator without tnet would run.

It is as fast as such a script gets: one `ip -batch` for all namespaces and links born in the node's
own, then in each namespace one shell that writes its sysctls and runs one `nft -f`, one `ip -batch` and
one `bridge -batch`. It sets the same marks, so that tnet finds nothing to do after it.
"""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks.nft_text import nft_text
from reconciler.kernel.graph import Graph, KernelObject
from reconciler.kernel.nftables import NftTable
from reconciler.kernel.objects import (
    ALIAS_PREFIX,
    HOST,
    LINK_GROUP,
    PROTOCOL,
    Address,
    Bridge,
    FdbEntry,
    Namespace,
    Neighbour,
    Route,
    Sysctl,
    Veth,
    VethPeer,
    Vxlan,
)


def write_script(graphs: Iterable[Graph], directory: Path) -> Path:
    """Write the script and its batch files; returns the script's path."""
    births, inside = ["set -e"], _Files(directory)
    birth_batch: list[str] = []
    for graph in graphs:
        for item in graph.objects:
            birth_batch += _birth(item)
            inside.take(graph.owner, item)
    (directory / "births.ip").write_text("\n".join(birth_batch) + "\n")
    births.append(f"ip -batch {shlex.quote(str(directory / 'births.ip'))}")
    script = directory / "converge.sh"
    script.write_text("\n".join([*births, *inside.finish()]) + "\n")
    return script


class _Files:
    """What is to be run in each namespace, and the commands that run it. A veth's far end is born in its
    maker's namespace, so the namespaces that hold only far ends come last."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._links: dict[str, list[str]] = defaultdict(list)
        self._rest: dict[str, list[str]] = defaultdict(list)
        self._fdb: dict[str, list[str]] = defaultdict(list)
        self._tables: dict[str, str] = {}
        self._sysctls: dict[str, list[Sysctl]] = defaultdict(list)
        self._places: dict[str, None] = {}

    def take(self, owner: str, item: KernelObject) -> None:
        place = item.key.namespace
        self._places.setdefault(place)
        match item:
            case Sysctl():
                self._sysctls[place].append(item)
            case NftTable():
                self._tables[place] = nft_text(item)
            case FdbEntry():
                self._fdb[place].append(_fdb(item))
            case _:
                self._links[place] += _link(owner, item)
                self._rest[place] += _content(item)

    def finish(self) -> Iterator[str]:
        with_makers = [place for place in self._places if self._is_maker(place)]
        for number, place in enumerate(
            [*with_makers, *(place for place in self._places if place not in with_makers)]
        ):
            yield self._run(number, place)

    def _is_maker(self, place: str) -> bool:
        return any(" type veth peer " in line for line in self._links[place])

    def _run(self, number: int, place: str) -> str:
        name = str(self._directory / f"inside{number}")
        Path(name + ".ip").write_text("\n".join(self._links[place] + self._rest[place]) + "\n")
        early, late = _sysctl_lines(self._sysctls[place])
        commands = ["set -e", *early]
        if place in self._tables:
            Path(name + ".nft").write_text(self._tables[place])
            commands.append(f"nft -f {name}.nft")
        commands.append(f"ip -batch {name}.ip")
        if place in self._fdb:
            Path(name + ".fdb").write_text("\n".join(self._fdb[place]) + "\n")
            commands.append(f"bridge -batch {name}.fdb")
        Path(name + ".sh").write_text("\n".join([*commands, *late]) + "\n")
        enter = f"nsenter --net=/run/netns/{place} " if place != HOST else ""
        return f"{enter}sh {name}.sh"


def _sysctl_lines(sysctls: Iterable[Sysctl]) -> tuple[list[str], list[str]]:
    """Those of the namespace, and those of single links, which have to be there first."""
    lines = [(item.link is None, f"echo {item.value} > /proc/sys/{item.path}") for item in sysctls]
    return [line for first, line in lines if first], [line for first, line in lines if not first]


def _birth(item: KernelObject) -> Iterator[str]:
    match item:
        case Namespace():
            yield f"netns add {item.name}"
        case Vxlan():
            yield (
                f"link add {item.name} mtu {item.mtu} address {item.mac} group {LINK_GROUP} "
                f"netns {item.namespace} type vxlan id {item.vni} local {item.local} "
                f"dstport {item.port} dev {item.underlay_device} nolearning"
            )


def _link(owner: str, item: KernelObject) -> Iterator[str]:
    """`ip` reads an alias only of a link that exists, as the kernel does."""
    alias = f"{ALIAS_PREFIX}{owner}"
    ours = f"alias {alias} group {LINK_GROUP} up"
    match item:
        case Namespace():
            yield f"link set lo alias {alias} up"
        case Bridge():
            yield f"link add {item.name} mtu {item.mtu} address {item.mac} type bridge"
            yield f"link set {item.name} mtu {item.mtu} {ours}"
        case Veth():
            far = f"netns {item.peer_namespace} " if item.peer_namespace != item.namespace else ""
            yield f"link add {item.name} mtu {item.mtu} type veth peer name {item.peer_name} {far}"
            yield f"link set {item.name} {ours}"
        case VethPeer():
            yield f"link set {item.name} mtu {item.mtu} {ours}"
        case Vxlan():
            yield f"link set {item.name} addrgenmode none"
            yield f"link set {item.name} {ours}"


def _content(item: KernelObject) -> Iterator[str]:
    match item:
        case Address():
            nodad = " nodad" if item.address.version == 6 else ""
            yield f"address add {item.address} dev {item.link}{nodad}"
        case Neighbour():
            mac = f"lladdr {item.mac} dev {item.link} protocol {PROTOCOL} nud permanent"
            yield f"neigh add {item.address} {mac}"
        case Route():
            via = f" via {item.via}" if item.via is not None else ""
            onlink = " onlink" if item.onlink else ""
            source = f" src {item.source}" if item.source is not None else ""
            yield f"route add {item.destination}{via} dev {item.link}{onlink}{source} proto {PROTOCOL}"


def _fdb(item: FdbEntry) -> str:
    return f"fdb add {item.mac} dev {item.link} dst {item.remote} self permanent"
