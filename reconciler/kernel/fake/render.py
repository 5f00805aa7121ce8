"""A world as `ip`, `wg` and `nft` would print it, without what a kernel chooses by itself.

Two worlds that print the same are the same: device ids, handles, inodes, and the indexes and MACs that nobody
asked for are left out. No private key is printed.
"""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.kernel.fake.nft.grammar import written
from reconciler.kernel.fake.nft.tables import Chain, Expression, Rule, Table
from reconciler.kernel.fake.records import Addr, Fdb, FibRoute, Link, Neigh, VethDetails, VxlanDetails
from reconciler.kernel.fake.world import LOCAL_TABLE, MAIN_TABLE, Netns, World, default_rules
from reconciler.kernel.objects import FIRST_INDEX, HOST

RTPROT_KERNEL = 2


def render(world: World, namespace: str | None = None) -> str:
    """All namespaces, HOST first, or one. What the kernel makes of an address is left out of the routes."""
    names = [HOST, *sorted(world.names)] if namespace is None else [namespace]
    return "\n".join(line for name in names for line in _space(world, name))


def _space(world: World, name: str) -> Iterator[str]:
    space = world.space(name)
    assert space is not None
    yield f"namespace {name or '(host)'}"
    for link in sorted(space.links.values(), key=lambda link: link.name):
        yield from (f"  {line}" for line in _link(world, space, link))
    yield from (f"  {line}" for line in sorted(map(_Routes(space).line, _own_routes(space))))
    for rule in space.rules:
        if rule not in default_rules():
            source = f"from {rule.source} " if rule.source else ""
            yield f"  rule ipv{rule.family} {rule.priority}: {source}table {rule.table} proto {rule.protocol}"
    yield from (f"  sysctl {path} {value}" for path, value in sorted(space.sysctls.items()))
    for table in sorted(space.nft.values(), key=lambda table: table.name):
        yield from (f"  {line}" for line in _table(table))


# --- links -------------------------------------------------------------------------------------------


def _link(world: World, space: Netns, link: Link) -> Iterator[str]:
    words = [f"link {link.name}", link.kind, *_where(world, space, link), f"mtu {link.mtu}"]
    words += [f"index {link.index}"] if link.index >= FIRST_INDEX else []
    words += [] if link.random_mac or not link.mac else [link.mac]
    words += [f"group {link.group}"] if link.group else []
    words += [f"alias {link.alias}"] if link.alias else []
    yield " ".join([*words, "up" if link.up else "down"])
    for known in (space.addresses4, space.addresses6):
        yield from sorted(f"  {_address(item)}" for item in known.get(link.device, ()))
    yield from sorted(
        f"  {_neighbour(item)}" for item in space.neighbours.values() if item.device == link.device
    )
    entries = (item for key, items in space.fdb.items() if key[0] == link.device for item in items)
    yield from sorted(f"  {_forwarding(item)}" for item in entries)
    yield from (f"  {line}" for line in _wireguard(world, link))


def _where(world: World, space: Netns, link: Link) -> list[str]:
    words = []
    if link.master is not None and (bridge := space.device(link.master)):
        words.append(f"in {bridge.name}")
    if isinstance(link.details, VethDetails) and (peer := world.find(link.details.peer)):
        words.append(f"to {peer[1].name} in {world.name_of(peer[0].id) or '(host)'}")
    if isinstance(link.details, VxlanDetails):
        details = link.details
        words.append(f"vni {details.vni} local {details.local} port {details.port}")
        words.append(f"born in {world.name_of(details.birth) or '(host)'}")
    return words


def _address(item: Addr) -> str:
    return f"address {item.address}"


def _neighbour(item: Neigh) -> str:
    return f"neighbour {item.address} is {item.mac} proto {item.protocol}"


def _forwarding(item: Fdb) -> str:
    return f"forward {item.mac} to {item.remote}"


def _wireguard(world: World, link: Link) -> Iterator[str]:
    state = world.wireguards.get(link.device)
    if state is None:
        return
    yield f"wireguard {state.public_key or '(no key)'} port {state.listen_port}"
    for peer in sorted(state.peers, key=lambda peer: peer.public_key):
        allowed = ",".join(sorted(map(str, peer.allowed_ips)))
        endpoint = "" if peer.endpoint is None else f" at {peer.endpoint[0]} port {peer.endpoint[1]}"
        keepalive = f" keepalive {peer.keepalive_s} s" if peer.keepalive_s else ""
        yield f"peer {peer.public_key}{endpoint}{keepalive} allowed {allowed}"


# --- routes ------------------------------------------------------------------------------------------


def _own_routes(space: Netns) -> Iterator[FibRoute]:
    for known in (space.routes4, space.routes6):
        for same in known.values():
            yield from (r for r in same if r.protocol != RTPROT_KERNEL and r.table != LOCAL_TABLE)


class _Routes:
    """Prints routes of one namespace, whose links have names."""

    def __init__(self, space: Netns) -> None:
        self._space = space

    def line(self, route: FibRoute) -> str:
        link = self._space.device(route.device)
        words = [f"route {route.destination}"]
        words += [f"via {route.via}"] if route.via else []
        words += [f"dev {link.name}"] if link else [route.type.name.lower()]
        words += ["onlink"] if route.onlink else []
        words += [f"src {route.source}"] if route.source else []
        words += [f"table {route.table}"] if route.table != MAIN_TABLE else []
        return " ".join([*words, f"metric {route.metric}", f"proto {route.protocol}"])


# --- nftables ----------------------------------------------------------------------------------------


def _table(table: Table) -> Iterator[str]:
    yield f"table {table.family} {table.name}"
    for item in sorted(table.sets, key=lambda item: item.name):
        yield f"  set {item.name}: {', '.join(_text(element) for element in item.elements)}"
    for chain in table.chains:
        yield f"  {_chain(chain)}"
        yield from (f"    {_rule(rule)}" for rule in chain.rules)


def _chain(chain: Chain) -> str:
    if chain.hook is None:
        return f"chain {chain.name}"
    hook = chain.hook
    return f"chain {chain.name} {hook.type} {hook.hook} {hook.priority} policy {hook.policy}"


def _rule(rule: Rule) -> str:
    ports = "" if rule.ports is None else f" to :{rule.ports[0]}-{rule.ports[1]}"
    comment = f" # {rule.comment}" if rule.comment else ""
    return " ".join([*map(_match, rule.matches), rule.verdict]) + ports + comment


def _match(item: Expression) -> str:
    values = ", ".join(_text(value) for value in item.values)
    operator = "!= " if item.operator == "!=" else ""
    return (
        f"{item.field} {operator}{{ {values} }}"
        if len(item.values) > 1
        else f"{item.field} {operator}{values}"
    )


def _text(value: object) -> str:
    """An element as nft writes it in text."""
    item = written(value)  # type: ignore[arg-type]
    if isinstance(item, dict) and "prefix" in item:
        return f"{item['prefix']['addr']}/{item['prefix']['len']}"
    return "-".join(item["range"]) if isinstance(item, dict) else str(item)
