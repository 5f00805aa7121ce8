"""Cables, addresses and routers as text for `ip`, `nft` and `sh`: pure functions of the topology."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_address, ip_interface

from reconciler.lab.topology import Cable, Interface, Machine, Table


def cabling(cables: tuple[Cable, ...], pids: Mapping[str, int]) -> str:
    """Make every cable at once. Both ends are born in the machines, so none is ever seen outside."""
    return "\n".join(_cable(cable, pids) for cable in cables) + "\n"


def _cable(cable: Cable, pids: Mapping[str, int]) -> str:
    (left, left_name), (right, right_name) = cable.left, cable.right
    return f"link add {left_name} netns {pids[left]} type veth peer name {right_name} netns {pids[right]}"


def configuration(machine: Machine) -> str:
    """What to tell `ip -batch` inside the machine, once its cables are there."""
    lines = ["link set lo up"]
    for interface in machine.interfaces:
        lines += _interface(interface)
    lines += [f"route add default via {gateway}" for gateway in machine.gateways]
    for table in machine.tables:
        lines += _table(table)
    return "\n".join(lines) + "\n"


def _interface(interface: Interface) -> Iterator[str]:
    if interface.ports:
        yield f"link add {interface.name} type bridge forward_delay 0"
    for port in interface.ports:
        yield f"link set {port} master {interface.name} up"
    for address in interface.addresses:
        nodad = " nodad" if ip_interface(address).version == 6 else ""
        yield f"address add {address} dev {interface.name}{nodad}"
    yield f"link set {interface.name} up"


def _table(table: Table) -> Iterator[str]:
    for via in table.via:
        everything = "::/0" if ip_address(via).version == 6 else "0.0.0.0/0"
        yield f"rule add from {everything} fwmark {table.mark} table {100 + table.mark}"
        yield f"route add {everything} via {via} table {100 + table.mark}"


def router_ruleset(machine: Machine) -> str:
    """The nftables ruleset of a NAT router: what goes out of its WAN port is masqueraded, and only
    replies come back in. Empty for every other machine."""
    if not machine.masquerade:
        return ""
    return f"""table inet box {{
  chain forward {{
    type filter hook forward priority 0; policy accept;
    iifname "{machine.masquerade}" ct state established,related accept
    iifname "{machine.masquerade}" drop
  }}
  chain postrouting {{
    type nat hook postrouting priority 100; policy accept;
    oifname "{machine.masquerade}" masquerade
  }}
}}
"""


def sysctls(machine: Machine) -> Mapping[str, str]:
    """Kernel parameters under /proc/sys that make a router of a machine; a node's are the agent's to set."""
    if machine.role != "router":
        return {}
    return {
        "net/ipv4/ip_forward": "1",
        "net/ipv4/conf/all/send_redirects": "0",
        "net/ipv4/conf/default/send_redirects": "0",
        "net/ipv6/conf/all/forwarding": "1",
    }


def setup_script(machine: Machine) -> str:
    """All of a machine's configuration as one script for `sh`."""
    lines = ["set -e"]
    lines += [f"echo {value} > /proc/sys/{path}" for path, value in sysctls(machine).items()]
    lines += ["ip -batch - <<'END'", configuration(machine) + "END"]
    if machine.masquerade:
        lines += ["nft -f - <<'END'", router_ruleset(machine) + "END"]
    return "\n".join(lines) + "\n"
