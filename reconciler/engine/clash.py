"""Names that are wanted and already held by somebody else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.kernel.graph import KernelObject, Observed
from reconciler.kernel.objects import Key


@dataclass(frozen=True, slots=True)
class Clash:
    """Something that is not ours to touch has the name (`holder` is its owner; None: not tnet's)."""

    key: Key
    holder: str | None = None

    @property
    def message(self) -> str:
        place = f"namespace {self.key.namespace}" if self.key.namespace else "the node's own namespace"
        whose = "does not belong to tnet" if self.holder is None else f"belongs to {self.holder}"
        return f"{self.key.kind} {self.key.name} is already there in {place} and {whose}"

    @property
    def advice(self) -> str:
        if self.holder is not None:
            return f"two owners want one name: change the one or remove {self.holder}; nothing was changed"
        return f"look at it ({_look(self.key)}), then rename or remove it; nothing was changed"


def _look(key: Key) -> str:
    inside = f"ip netns exec {key.namespace} " if key.namespace and key.kind != "namespace" else ""
    commands = {
        "namespace": f"ip netns pids {key.name}",
        "link": f"ip -d link show {key.name}",
        "address": "ip address show",
        "route": f"ip route show {key.name}",
        "rule": "ip rule show",
        "neighbour": "ip neighbour show",
        "fdb": "bridge fdb show",
        "nft-table": f"nft list table inet {key.name}",
        "wireguard-peer": "wg show",
    }
    return inside + commands.get(key.kind, f"sysctl {key.name}")


def find_clashes(
    owner: str, wanted: Mapping[Key, KernelObject], added: Mapping[Key, KernelObject], observed: Observed
) -> tuple[Clash, ...]:
    """What among `added` is held by others, ordered by key."""
    found = [Clash(key) for key in added if key in observed.foreign]
    found += [
        Clash(key, holder)
        for key in added
        if not _private(key, wanted)
        for holder, objects in observed.owned.items()
        if holder != owner and key in objects
    ]
    return tuple(sorted(found, key=lambda clash: clash.key))


def _private(key: Key, wanted: Mapping[Key, KernelObject]) -> bool:
    """Whether `key` lies within a namespace of the owner's own, where no other owner has objects."""
    inside = Key(key.namespace, "namespace", key.namespace)
    return key != inside and inside in wanted
