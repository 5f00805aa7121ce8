"""nft tables of a namespace, listed again only when a transaction has happened there since.

Listing costs a libnftables context and JSON both ways, some hundred times the question for the generation.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from reconciler.kernel import nft_json
from reconciler.kernel.nft_json import Unreadable
from reconciler.kernel.nftables import NftTable
from reconciler.kernel.objects import Key
from reconciler.kernel.transport import Transport


@dataclass(frozen=True, slots=True)
class TablesSeen:
    """Our tables, and the keys of other people's (of our family: no other can clash)."""

    ours: tuple[NftTable, ...]
    foreign: frozenset[Key]


@dataclass(slots=True)
class TableReader:
    """Remembers what it listed, by namespace and its identity, with the generation it was then."""

    _kept: dict[str, tuple[int, TablesSeen]] = field(default_factory=dict)

    def tables(self, transport: Transport, namespace: str) -> TablesSeen:
        """Raises TransportError. The generation is asked before the list, so that a transaction between the
        two is listed again rather than missed."""
        generation = transport.nft_generation(namespace)
        kept = self._kept.get(namespace)
        if kept is None or kept[0] != generation:
            listing = transport.nft(namespace, nft_json.LIST_TABLES)
            kept = self._kept[namespace] = (generation, _sorted_out(namespace, listing))
        return kept[1]

    def forget(self, namespace: str) -> None:
        """The namespace is gone, or another has its name: its generations count from the start."""
        self._kept.pop(namespace, None)


def _sorted_out(namespace: str, listing: str) -> TablesSeen:
    tables = nft_json.decode_tables(namespace, listing)
    ours = (_as_ours(namespace, name, table) for name, table in tables.items())
    kept = tuple(table for table in ours if table is not None)
    names = {table.name for table in kept}
    return TablesSeen(
        kept, frozenset(Key(namespace, "nft-table", name) for name in tables if name not in names)
    )


def _as_ours(namespace: str, name: str, table: NftTable | Unreadable) -> NftTable | None:
    """A table of ours that was changed into something we have no words for is seen as an empty one: that
    differs from whatever is wanted, so it will be replaced."""
    if isinstance(table, NftTable):
        return table
    return None if table.owner is None else NftTable(namespace, name, table.owner, ())
