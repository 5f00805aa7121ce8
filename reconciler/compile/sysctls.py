"""Kernel parameters of our namespaces, and the few that the node's own needs.

A namespace's `default` values are copied by every link that comes up in it or is moved into it, so they must
be there before the first one. IPv4's start as copies of the node's and are all set explicitly.
"""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.compile.names import NODE_LINK, TABLE
from reconciler.kernel.graph import KernelObject
from reconciler.kernel.objects import HOST, Key, Sysctl, link_key

ROUTER: tuple[tuple[str, str], ...] = (
    ("net/ipv4/conf/all/forwarding", "1"),
    ("net/ipv4/conf/all/rp_filter", "1"),
    ("net/ipv4/conf/all/send_redirects", "0"),
    ("net/ipv4/conf/default/rp_filter", "1"),
    ("net/ipv4/conf/default/send_redirects", "0"),
    ("net/ipv6/conf/all/forwarding", "1"),
    ("net/ipv6/conf/default/accept_dad", "0"),
    ("net/ipv6/conf/default/accept_ra", "0"),
    ("net/ipv6/conf/default/addr_gen_mode", "1"),
    ("net/ipv6/conf/default/autoconf", "0"),
)
"""rp_filter: strict (RFC 3704), the greater of `all` and the link's counts. send_redirects: either of the two
is enough to send them. addr_gen_mode: no link-local address by itself (IN6_ADDR_GEN_MODE_NONE)."""


def router_sysctls(namespace: str) -> tuple[Sysctl, ...]:
    """Of a namespace that is wholly ours and forwards."""
    return tuple(Sysctl(namespace, path, value) for path, value in ROUTER)


def ready(namespace: str) -> tuple[Key, ...]:
    """What must be there before the first link of a namespace of ours: its firewall and its `default`s, so
    that nothing is ever open half-built."""
    defaults = (path for path, _ in ROUTER if "/forwarding" not in path)
    table = Key(namespace, "nft-table", TABLE)
    return (table, *(Key(namespace, "sysctl", path) for path in defaults))


def host_sysctls(uplink: str) -> tuple[Sysctl, ...]:
    """IPv4 forwards by interface: only what comes in by our veth or by the uplink. IPv6 has one switch for
    all, and a forwarding interface listens to router advertisements only at accept_ra 2."""
    values = (
        (f"net/ipv4/conf/{NODE_LINK}/forwarding", "1"),
        (f"net/ipv4/conf/{NODE_LINK}/rp_filter", "1"),
        (f"net/ipv4/conf/{NODE_LINK}/send_redirects", "0"),
        (f"net/ipv4/conf/{uplink}/forwarding", "1"),
        (f"net/ipv6/conf/{NODE_LINK}/accept_ra", "0"),
        (f"net/ipv6/conf/{uplink}/accept_ra", "2"),
        ("net/ipv6/conf/all/forwarding", "1"),
    )
    return tuple(Sysctl(HOST, path, value) for path, value in values)


def host_edges(uplink: str) -> Iterable[tuple[Key, Key]]:
    """Forwarding is switched on last: when the firewall stands, and the uplink would keep its routes."""
    table = Key(HOST, "nft-table", TABLE)
    ipv6 = Key(HOST, "sysctl", "net/ipv6/conf/all/forwarding")
    yield ipv6, Key(HOST, "sysctl", f"net/ipv6/conf/{uplink}/accept_ra")
    yield ipv6, table
    yield Key(HOST, "sysctl", f"net/ipv4/conf/{uplink}/forwarding"), table
    yield link_key(HOST, NODE_LINK), table


def links_after(namespace: str, links: Iterable[KernelObject]) -> Iterable[tuple[Key, Key]]:
    """The edges from links of a namespace of ours to all that is `ready` there."""
    return ((link.key, key) for link in links for key in ready(namespace))
