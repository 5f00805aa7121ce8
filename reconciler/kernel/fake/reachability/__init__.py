"""What would reach what: packets walked through fake kernels that are joined by an underlay.

    underlay = Underlay()
    underlay.machine("paris/p1", world)
    underlay.plug("paris/p1", "eth0", "internet")
    trace = reaches(underlay, ("paris/p1", "c1"), "10.1.2.10")
    assert trace.arrived, str(trace)

A walk knows routes, rules, bridges, veths, neighbours, VXLAN, WireGuard, connection tracking, masquerading
and nftables as far as networks of ours use them. It is read-only: no world changes.
"""

from reconciler.kernel.fake.reachability.ask import converses, lets_in, reaches
from reconciler.kernel.fake.reachability.trace import Packet, Place, Trace
from reconciler.kernel.fake.reachability.underlay import Underlay

__all__ = ["Packet", "Place", "Trace", "Underlay", "converses", "lets_in", "reaches"]
