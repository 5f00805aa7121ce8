"""Members of a made-up network, by short words."""

from __future__ import annotations

from ipaddress import IPv4Address

from reconciler.compile.addresses import nr_slice
from reconciler.compile.member import FastSegment, Member
from reconciler.compile.mesh import Mesh, mesh_of

IPV4, IPV6 = "10.1.0.0/16", "fd01:1:1::/48"


def make(node: str, index: int, *, public: bool = False, fast_mtu: int | None = None) -> Member:
    """A member on `<farm>/<node>`; its slot is 1."""
    return Member(
        node=node,
        index=index,
        slot=1,
        public_key=f"key of {node}",
        slice=nr_slice(IPV4, IPV6, index),
        listen_port=51820,
        endpoint=(IPv4Address(f"192.0.2.{index}"), 51820) if public else None,
        fast=None if fast_mtu is None else FastSegment(node.partition("/")[0], 7, fast_mtu),
        fast_address=None if fast_mtu is None else IPv4Address(f"10.99.0.{index}"),
    )


def picture(mesh: Mesh) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Neighbour -> (kind of link, who is behind it)."""
    return {
        neighbour.member.node: (neighbour.kind, tuple(member.node for member in neighbour.behind))
        for neighbour in mesh.neighbours
    }


def view(members: list[Member], node: str, *relays: str) -> Mesh:
    """The network as the NR on `node` sees it."""
    return mesh_of(next(member for member in members if member.node == node), members, relays)
