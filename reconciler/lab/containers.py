"""The containers of the lab: namespaces on the nodes, plugged into the tenants' networks by `tnet attach`."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.lab.jobs import Job, outputs
from reconciler.lab.lab import Lab
from reconciler.lab.machine import program
from reconciler.lab.observe import Source
from reconciler.lab.tenants import Container, TenantNetwork

_MAKE = (
    "ip netns add {name} && ip -n {name} link set lo up"
    " && ip netns exec {name} sh -c 'echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad'"
)
"""Without duplicate address detection, which would keep changing what a snapshot sees for a second or two."""


def make_namespaces(lab: Lab, networks: Iterable[TenantNetwork]) -> None:
    """On every node one for every network, plugged in or not."""
    names = [f"{network.tenant}-{network.name}" for network in networks]
    script = " && ".join(_MAKE.format(name=name) for name in names)
    outputs(Job(machine, ["sh", "-c", script]) for machine in lab.nodes)


def attach(lab: Lab, containers: Iterable[Container]) -> None:
    """`tnet attach` for each, all at once; then the second address, that only this tenant has."""
    asked = tuple(containers)
    outputs(Job(lab.machine(each.machine), _attach_command(each)) for each in asked)
    outputs(
        Job(
            lab.machine(each.machine),
            ["ip", "address", "add", f"{each.own_ipv4}/24", "dev", "eth0"],
            each.namespace,
        )
        for each in asked
    )


def _attach_command(container: Container) -> list[str]:
    network = f"{container.tenant}/{container.network}"
    return ["tnet", "attach", network, container.namespace, "--address", str(container.ipv4)]


def light_beacons(lab: Lab, networks: Iterable[TenantNetwork]) -> None:
    """Something that answers in every container, on every node and on the hosts beside them."""
    names = [(f"{network.tenant}@", f"{network.tenant}-{network.name}") for network in networks]
    jobs = []
    for machine in lab.topology.machines:
        places = [f"{machine.name}="]
        if machine.role == "node":
            places += [f"{prefix}{machine.name}={namespace}" for prefix, namespace in names]
        jobs.append(Job(lab.machine(machine.name), program("beacon", *places)))
    outputs(jobs)


def source(lab: Lab, container: Container) -> Source:
    return Source(container.name, lab.machine(container.machine), container.namespace)
