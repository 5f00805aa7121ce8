"""The same objects by a shell script: what an administrator without tnet would run.

It is as fast as such a script gets: one `ip -batch` for all namespaces and links born in the node's
own, then in each namespace one shell that writes its sysctls and runs one `nft -f`, one `ip -batch` and
one `bridge -batch`. It sets the same marks, so that tnet finds nothing to do after it.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks.nft_text import nft_text
from reconciler.kernel.graph import Graph, KernelObject
from reconciler.kernel.nftables import NftTable
from reconciler.kernel.objects import (
    ALIAS_PREFIX,
    FIRST_INDEX,
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
    indexes = itertools.count(FIRST_INDEX)
    objects = [(graph.owner, item) for graph in graphs for item in graph.objects]
    births, inside = directory / "births.ip", _Files(directory, indexes)
    births.write_text("".join(f"{line}\n" for line in _births((item for _, item in objects), indexes)))
    for owner, item in objects:
        inside.take(owner, item)
    script = directory / "converge.sh"
    commands = ["set -e", f"ip -batch {births}", *inside.finish()]
    script.write_text("\n".join(commands) + "\n")
    return script


class _Files:
    """What is to be run in each namespace, and the commands that run it. A veth's far end is born by its
    maker's namespace, so those that hold only far ends are made ready before and get their content after."""

    def __init__(self, directory: Path, indexes: Iterator[int]) -> None:
        self._directory = directory
        self._indexes = indexes
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
                self._links[place] += _link(owner, item, self._indexes)
                self._rest[place] += _content(item)

    def finish(self) -> Iterator[str]:
        makers = [place for place in self._places if self._is_maker(place)]
        others = [place for place in self._places if place not in makers]
        for place in others:
            yield self._run(place, "before", [*self._defaults(place), *self._firewall(place)])
        for place in makers:
            commands = [*self._defaults(place), *self._firewall(place), *self._links_and_rest(place)]
            yield self._run(place, "whole", commands)
        for place in others:
            yield self._run(place, "after", self._links_and_rest(place))

    def _is_maker(self, place: str) -> bool:
        return any(" type veth peer " in line for line in self._links[place])

    def _run(self, place: str, part: str, commands: Iterable[str]) -> str:
        file = self._file(place, f"{part}.sh")
        file.write_text("\n".join(["set -e", *commands]) + "\n")
        enter = f"nsenter --net=/run/netns/{place} " if place != HOST else ""
        return f"{enter}sh {file}"

    def _file(self, place: str, name: str) -> Path:
        return self._directory / f"{place or 'host'}.{name}"

    def _defaults(self, place: str) -> Iterator[str]:
        return (_echo(item) for item in self._sysctls[place] if item.link is None)

    def _firewall(self, place: str) -> Iterator[str]:
        if place in self._tables:
            file = self._file(place, "nft")
            file.write_text(self._tables[place])
            yield f"nft -f {file}"

    def _links_and_rest(self, place: str) -> Iterator[str]:
        file = self._file(place, "ip")
        file.write_text("\n".join(self._links[place] + self._rest[place]) + "\n")
        yield f"ip -batch {file}"
        if place in self._fdb:
            entries = self._file(place, "fdb")
            entries.write_text("\n".join(self._fdb[place]) + "\n")
            yield f"bridge -batch {entries}"
        yield from (_echo(item) for item in self._sysctls[place] if item.link is not None)


def _echo(item: Sysctl) -> str:
    return f"echo {item.value} > /proc/sys/{item.path}"


def _births(objects: Iterable[KernelObject], indexes: Iterator[int]) -> Iterator[str]:
    """Namespaces first, then the links whose sockets are in the node's own."""
    links: list[str] = []
    for item in objects:
        match item:
            case Namespace():
                yield f"netns add {item.name}"
            case Vxlan():
                links.append(
                    f"link add {item.name} index {next(indexes)} mtu {item.mtu} address {item.mac} "
                    f"group {LINK_GROUP} netns {item.namespace} type vxlan id {item.vni} local {item.local} "
                    f"dstport {item.port} dev {item.underlay_device} nolearning"
                )
    yield from links


def _link(owner: str, item: KernelObject, indexes: Iterator[int]) -> Iterator[str]:
    """`ip` reads an alias only of a link that exists, as the kernel does."""
    alias = f"{ALIAS_PREFIX}{owner}"
    ours = f"alias {alias} group {LINK_GROUP} up"
    match item:
        case Namespace():
            yield f"link set lo alias {alias} up"
        case Bridge():
            yield f"link add {item.name} index {next(indexes)} address {item.mac} type bridge"
            yield f"link set {item.name} mtu {item.mtu} {ours}"
        case Veth():
            far = f"netns {item.peer_namespace} " if item.peer_namespace != item.namespace else ""
            yield (
                f"link add {item.name} index {next(indexes)} mtu {item.mtu} type veth "
                f"peer name {item.peer_name} index {next(indexes)} {far}"
            )
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
