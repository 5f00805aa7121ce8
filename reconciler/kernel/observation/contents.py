"""What is in a namespace beside its links: addresses, routes, rules, neighbours, forwarding entries.

A namespace of ours is dumped whole. In the node's own, which may be full of other people's things, only our
links are asked about, where the kernel can filter by link.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator

from reconciler.kernel.codec import dump
from reconciler.kernel.codec.address import decode_address
from reconciler.kernel.codec.fdb import decode_fdb
from reconciler.kernel.codec.neighbour import decode_neighbour
from reconciler.kernel.codec.route import RT_TABLE_MAIN, decode_route
from reconciler.kernel.codec.rule import decode_rule
from reconciler.kernel.codec.wire import AF_INET, AF_INET6
from reconciler.kernel.graph import KernelObject
from reconciler.kernel.objects import HOST, PROTOCOL, Address, FdbEntry, Neighbour, Route, Rule
from reconciler.kernel.observation.namespace_view import NamespaceView
from reconciler.kernel.transport import Transport, TransportError

Found = Iterator[tuple[str, KernelObject]]
"""(owner, object)"""


def contents(transport: Transport, seen: NamespaceView) -> Found:
    """Raises TransportError."""
    yield from _addresses(transport, seen)
    yield from _routes(transport, seen)
    yield from _rules(transport, seen)
    yield from _neighbours(transport, seen)
    yield from _forwarding_entries(transport, seen)


def _addresses(transport: Transport, seen: NamespaceView) -> Found:
    """Those on our links; not those that the kernel made itself."""
    for message in _of_our_links(transport, seen, dump.addresses):
        item = decode_address(message)
        owner = seen.owners.get(item.ifindex)
        if owner is not None and not item.by_kernel:
            yield owner, Address(seen.name, seen.name_of(item.ifindex), item.address)


def _routes(transport: Transport, seen: NamespaceView) -> Found:
    for family in (AF_INET, AF_INET6):
        for message in _route_dump(transport, seen.name, family):
            item = decode_route(message)
            if item.protocol == PROTOCOL and item.table == RT_TABLE_MAIN:
                link = seen.name_of(item.ifindex)
                route = Route(seen.name, item.destination, link, item.via, item.onlink, item.source)
                yield seen.owner_at(item.ifindex), route


def _route_dump(transport: Transport, namespace: str, family: int) -> list[bytes]:
    try:
        return transport.route_dump(namespace, dump.routes(family))
    except TransportError as error:
        if error.code == errno.ENOENT:  # the main table isn't made before its first route
            return []
        raise


def _rules(transport: Transport, seen: NamespaceView) -> Found:
    for message in transport.route_dump(seen.name, dump.rules()):
        item = decode_rule(message)
        if item is not None and item.protocol == PROTOCOL:
            yield seen.holder, Rule(seen.name, item.family, item.priority, item.table, item.source)


def _neighbours(transport: Transport, seen: NamespaceView) -> Found:
    for message in _of_our_links(transport, seen, dump.neighbours):
        item = decode_neighbour(message)
        if item is None or not item.permanent or item.protocol != PROTOCOL:
            continue
        owner = seen.owners.get(item.ifindex)
        if owner is not None:
            yield owner, Neighbour(seen.name, seen.name_of(item.ifindex), item.address, item.mac)


def _forwarding_entries(transport: Transport, seen: NamespaceView) -> Found:
    for index, owner in seen.owners.items():
        if seen.links[index].kind != "vxlan":
            continue
        for message in transport.route_dump(seen.name, dump.fdb(index)):
            item = decode_fdb(message)
            if item.permanent and item.remote is not None:
                yield owner, FdbEntry(seen.name, seen.name_of(index), item.mac, item.remote)


def _of_our_links(
    transport: Transport, seen: NamespaceView, request: Callable[[int], bytes]
) -> Iterator[bytes]:
    if not seen.owners:
        return
    for index in seen.owners if seen.name == HOST else (0,):
        yield from transport.route_dump(seen.name, request(index))
