"""What only one object can hold at a time, beyond its own name.

Where a new object claims what a leaving one still holds, the leaving one has to go first, although
creation otherwise comes before deletion.
"""

from __future__ import annotations

from collections.abc import Hashable

from reconciler.kernel.graph import KernelObject
from reconciler.kernel.objects import Address, Vxlan, WireGuard

Claim = tuple[Hashable, ...]


def claims(item: KernelObject) -> tuple[Claim, ...]:
    """What `item` holds exclusively."""
    match item:
        case WireGuard():
            return (("udp port", item.underlay_namespace, item.listen_port),)
        case Vxlan():
            # Refused with EEXIST in the namespace of its socket, also after the first has moved away.
            return (("vni", item.underlay_namespace, item.vni),)
        case Address():
            return (_address_claim(item),)
        case _:
            return ()


def _address_claim(item: Address) -> Claim:
    """IPv4: the subnet on the link, because a second address in it becomes a secondary, which goes when
    the first is deleted (promote_secondaries=0). IPv6: the address, whatever its prefix length."""
    if item.address.version == 4:
        return ("subnet", item.namespace, item.link, item.address.network)
    return ("address", item.namespace, item.link, item.address.ip)
