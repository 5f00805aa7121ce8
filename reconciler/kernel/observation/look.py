"""The whole look: which namespaces are ours, and all that is ours in them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from reconciler.kernel.graph import KernelObject, Observed
from reconciler.kernel.known_links import KnownLinks
from reconciler.kernel.marks import NAMESPACE_PREFIX, half_made
from reconciler.kernel.objects import HOST, Key, Namespace, Sysctl, link_key, namespace_key
from reconciler.kernel.observation.contents import contents
from reconciler.kernel.observation.link_objects import LinkReader
from reconciler.kernel.observation.namespace_view import NamespaceView, view
from reconciler.kernel.observation.table_objects import TableReader
from reconciler.kernel.observation.wireguard_objects import wireguard_objects
from reconciler.kernel.transport import NamespaceMissing, Transport


@dataclass(slots=True)
class _Findings:
    owned: dict[str, dict[Key, KernelObject]] = field(default_factory=dict)
    foreign: set[Key] = field(default_factory=set)
    indexes: dict[Key, int] = field(default_factory=dict)

    def add(self, owner: str, item: KernelObject) -> None:
        self.owned.setdefault(owner, {})[item.key] = item

    def add_all(self, found: Iterable[tuple[str, KernelObject]]) -> None:
        for owner, item in found:
            self.add(owner, item)

    @property
    def observed(self) -> Observed:
        return Observed(self.owned, frozenset(self.foreign), self.indexes)


class Observer:
    """Looks through one transport, and remembers between looks where links are and what nft listed."""

    def __init__(self, transport: Transport, known: KnownLinks) -> None:
        self._transport = transport
        self._known = known
        self._tables = TableReader()
        self._identities: Mapping[str, tuple[int, int]] = {}

    def observe(self, sysctls: Collection[Key], namespaces: Collection[str] | None) -> Observed:
        """As `port.Kernel.observe`. Raises TransportError."""
        findings = _Findings()
        names = self._names(findings)
        scope = names if namespaces is None else [name for name in names if name in namespaces]
        views = {name: seen for name in scope if (seen := self._view(name)) is not None}
        host = views.get(HOST) or view(self._transport, HOST)
        self._know(names)
        reader = LinkReader(self._known, host)
        running = self._transport.wireguard_running()
        for seen in views.values():
            self._look_into(findings, seen, reader, running)
        self._read_sysctls(findings, views, sysctls)
        return findings.observed

    def look_at_links(self) -> None:
        """Know the links of all our namespaces and of the node's own."""
        self._know(self._names(_Findings()))

    def _names(self, findings: _Findings) -> list[str]:
        """The namespaces that may be ours, the node's own first."""
        listed = self._transport.namespaces()
        self._notice_the_gone(listed)
        findings.foreign.update(namespace_key(name) for name in listed if not _may_be_ours(name))
        return [HOST, *sorted(name for name in listed if _may_be_ours(name))]

    def _notice_the_gone(self, listed: Mapping[str, tuple[int, int]]) -> None:
        for name, identity in self._identities.items():
            if listed.get(name) != identity:
                self._tables.forget(name)
                self._known.forget(name)
        self._identities = dict(listed)
        self._known.keep_only([HOST, *listed])

    def _view(self, name: str) -> NamespaceView | None:
        """None for a namespace that went while we looked."""
        try:
            seen = view(self._transport, name)
        except NamespaceMissing:
            return None
        self._known.see(name, seen.owner, seen.links.values())
        return seen

    def _know(self, names: Collection[str]) -> None:
        """A veth's other end may be in a namespace that nobody asked about; once known, it stays so."""
        for name in names:
            if name not in self._known:
                self._view(name)

    def _look_into(
        self, findings: _Findings, seen: NamespaceView, reader: LinkReader, running: frozenset[str]
    ) -> None:
        if seen.owner is None:
            findings.foreign.add(namespace_key(seen.name))
            return
        if seen.name != HOST:
            findings.add(seen.owner, Namespace(seen.name))
        findings.indexes.update(
            {link_key(seen.name, link.name): link.ifindex for link in seen.links.values()}
        )
        findings.foreign.update(_foreign_links(seen))
        findings.add_all(reader.objects(seen))
        findings.add_all(wireguard_objects(self._transport, seen, running))
        findings.add_all(contents(self._transport, seen))
        self._look_at_tables(findings, seen.name)

    def _look_at_tables(self, findings: _Findings, namespace: str) -> None:
        tables = self._tables.tables(self._transport, namespace)
        findings.add_all((table.owner, table) for table in tables.ours)
        findings.foreign.update(tables.foreign)

    def _read_sysctls(
        self, findings: _Findings, views: Mapping[str, NamespaceView], sysctls: Collection[Key]
    ) -> None:
        for namespace, paths in _by_namespace(sysctls).items():
            seen = views.get(namespace)
            if seen is None or seen.owner is None:
                continue
            values = self._transport.sysctl_read(namespace, paths)
            for path, value in zip(paths, values, strict=True):
                if value is not None:
                    item = Sysctl(namespace, path, value)
                    findings.add(_sysctl_owner(seen, item), item)


def _may_be_ours(name: str) -> bool:
    return name.startswith(NAMESPACE_PREFIX)


def _foreign_links(seen: NamespaceView) -> Iterator[Key]:
    for index, link in seen.links.items():
        if index not in seen.owners and not half_made(link):
            yield link_key(seen.name, link.name)


def _by_namespace(sysctls: Collection[Key]) -> dict[str, list[str]]:
    paths: dict[str, list[str]] = {}
    for key in sysctls:
        paths.setdefault(key.namespace, []).append(key.name)
    return paths


def _sysctl_owner(seen: NamespaceView, item: Sysctl) -> str:
    if item.link is None:
        return seen.holder
    index = next((link.ifindex for link in seen.links.values() if link.name == item.link), 0)
    return seen.owner_at(index)
