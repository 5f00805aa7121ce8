"""Values under /proc/sys/net, as a fresh namespace of Linux 6.18 has them and as writing changes them."""

from __future__ import annotations

import errno

from reconciler.kernel.fake.records import Link
from reconciler.kernel.fake.refusals import NotModelled, Refused
from reconciler.kernel.fake.world import Netns

CONF_DEFAULTS = {
    "ipv4/accept_redirects": "1",
    "ipv4/accept_local": "0",
    "ipv4/accept_source_route": "1",
    "ipv4/arp_accept": "0",
    "ipv4/arp_announce": "0",
    "ipv4/arp_filter": "0",
    "ipv4/arp_ignore": "0",
    "ipv4/arp_notify": "0",
    "ipv4/disable_policy": "0",
    "ipv4/disable_xfrm": "0",
    "ipv4/forwarding": "0",
    "ipv4/ignore_routes_with_linkdown": "0",
    "ipv4/log_martians": "0",
    "ipv4/promote_secondaries": "0",
    "ipv4/proxy_arp": "0",
    "ipv4/route_localnet": "0",
    "ipv4/rp_filter": "0",
    "ipv4/secure_redirects": "1",
    "ipv4/send_redirects": "1",
    "ipv4/shared_media": "1",
    "ipv4/src_valid_mark": "0",
    "ipv6/accept_dad": "1",
    "ipv6/accept_ra": "1",
    "ipv6/accept_ra_defrtr": "1",
    "ipv6/accept_redirects": "1",
    "ipv6/accept_source_route": "0",
    "ipv6/addr_gen_mode": "0",
    "ipv6/autoconf": "1",
    "ipv6/dad_transmits": "1",
    "ipv6/disable_ipv6": "0",
    "ipv6/disable_policy": "0",
    "ipv6/forwarding": "0",
    "ipv6/hop_limit": "64",
    "ipv6/ignore_routes_with_linkdown": "0",
    "ipv6/keep_addr_on_down": "0",
    "ipv6/mtu": "1280",
    "ipv6/proxy_ndp": "0",
    "ipv6/router_solicitations": "-1",
    "ipv6/use_tempaddr": "0",
}
"""What `conf/default` of a fresh namespace says."""

ALL_DIFFERS = {"ipv4/accept_source_route": "0", "ipv6/accept_dad": "0"}
"""Where `conf/all` of a fresh namespace says something else."""

PLAIN_DEFAULTS = {
    "net/ipv4/fib_multipath_hash_policy": "0",
    "net/ipv4/icmp_echo_ignore_broadcasts": "1",
    "net/ipv4/ip_default_ttl": "64",
    "net/ipv4/ip_nonlocal_bind": "0",
    "net/ipv6/bindv6only": "0",
    "net/ipv6/ip_nonlocal_bind": "0",
    "net/netfilter/nf_conntrack_max": "262144",
    "net/core/somaxconn": "4096",
}

FREE_TEXT: frozenset[str] = frozenset()

REJECT_OUTSIDE = {
    "ipv6/addr_gen_mode": {"0", "1", "3"},
    "ipv6/disable_ipv6": None,
}
"""Values a key accepts, where it is more than a number (mode 2 wants a stable secret first)."""


def split(path: str) -> tuple[str, str] | None:
    """`net/ipv4/conf/eth0/rp_filter` to (`eth0`, `ipv4/rp_filter`); None for other paths."""
    parts = path.split("/")
    if len(parts) == 5 and parts[0] == "net" and parts[2] == "conf":
        return parts[3], f"{parts[1]}/{parts[4]}"
    return None


def link_value(space: Netns, link: Link, key: str) -> str:
    """The value of one link: `key` is like `ipv6/forwarding`."""
    own = space.link_sysctls.get(link.device, {})
    return own.get(key, CONF_DEFAULTS[key])


def namespace_value(space: Netns, which: str, key: str) -> str:
    """The value of `conf/all` or `conf/default`."""
    fresh = ALL_DIFFERS.get(key) if which == "all" else None
    return space.sysctls.get(f"{which}/{key}", fresh or CONF_DEFAULTS[key])


def inherit(space: Netns, link: Link) -> None:
    """A link that is new in a namespace takes what `default` says now (inetdev_init, ipv6_add_dev)."""
    values = {
        key.removeprefix("default/"): v for key, v in space.sysctls.items() if key.startswith("default/")
    }
    values["ipv6/mtu"] = str(link.mtu)
    space.link_sysctls[link.device] = values


def read(space: Netns, path: str) -> str | None:
    """The value, None where the kernel has no such file. Raises NotModelled for one it may have."""
    if path == "net/ipv4/ip_forward":
        return namespace_value(space, "all", "ipv4/forwarding")
    conf = split(path)
    if conf is None:
        return space.sysctls.get(path, _plain(path))
    which, key = conf
    if key not in CONF_DEFAULTS:
        raise NotModelled(f"sysctl {path}")
    if which in ("all", "default"):
        return namespace_value(space, which, key)
    link = space.named(which)
    return None if link is None else link_value(space, link, key)


def _plain(path: str) -> str:
    if path not in PLAIN_DEFAULTS:
        raise NotModelled(f"sysctl {path}")
    return PLAIN_DEFAULTS[path]


def write(space: Netns, path: str, value: str) -> None:
    """Raises Refused ENOENT (no such file) or EINVAL (not a number it takes)."""
    old = read(space, path)
    if old is None:
        raise Refused(errno.ENOENT)
    value = value.strip()
    if not value.lstrip("-").isdigit():
        raise Refused(errno.EINVAL)
    conf = ("all", "ipv4/forwarding") if path == "net/ipv4/ip_forward" else split(path)
    if conf is None:
        space.sysctls[path] = value
        return
    _write_conf(space, *conf, value)


def _write_conf(space: Netns, which: str, key: str, value: str) -> None:
    allowed = REJECT_OUTSIDE.get(key)
    if allowed is not None and value not in allowed:
        raise Refused(errno.EINVAL)
    for target in _targets(space, which, key):
        _set(space, target, key, value)
    if key == "ipv6/disable_ipv6" and value != "0":
        raise NotModelled("switching IPv6 off")


EVERYWHERE = ("ipv4/forwarding", "ipv6/forwarding", "ipv6/disable_ipv6", "ipv6/addr_gen_mode")
"""Keys of `all` that write `default` and every link too (devinet.c, addrconf.c)."""


def _targets(space: Netns, which: str, key: str) -> list[str | Link]:
    if which == "all" and key in EVERYWHERE:
        return ["all", "default", *space.ordered()]
    if which in ("all", "default"):
        return [which]
    link = space.named(which)
    assert link is not None
    return [link]


def _set(space: Netns, target: str | Link, key: str, value: str) -> None:
    if isinstance(target, str):
        space.sysctls[f"{target}/{key}"] = value
        return
    before = link_value(space, target, key)
    space.link_sysctls[target.device] = {**space.link_sysctls.get(target.device, {}), key: value}
    if key == "ipv6/forwarding" and (before == "0") != (value == "0"):
        _forwarding_changed(space, target, value != "0")


def _forwarding_changed(space: Netns, link: Link, on: bool) -> None:
    """dev_forward_change: a router joins the anycast address of each of its subnets."""
    from reconciler.kernel.fake import ipv6

    for address in space.addresses6.get(link.device, ()):
        (ipv6.join_anycast if on else ipv6.leave_anycast)(space, link, address)
