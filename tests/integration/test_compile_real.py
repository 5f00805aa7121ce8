"""What compile makes, tried in a real kernel by hand-typed commands: who reaches whom, and who doesn't.

Five nodes: in Paris two public ones and a hidden one on a fast network, in Lyon two hidden ones behind one
NAT router. Those in Lyon reach each other, and the hidden one in Paris, only through the relay. Two tenants
with the same ranges. One host outside.
"""

from __future__ import annotations

import base64
import itertools
import os
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from ipaddress import IPv4Address
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from property_tests.farms import FarmSketch, Fleet, NetworkSketch, NodeSketch, ResourceSketch
from reconciler.compile.names import bridge_name, mac, netid
from reconciler.compile.node import NetworkPart, compile_node
from reconciler.kernel.objects import WireGuard
from reconciler.model.documents import Document, Network, Node
from reconciler.model.model import Model
from reconciler.model.paths import network_path, node_path
from tests.integration.compile_text import Setting, commands

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("wireguard-go") is None, reason="needs root and wireguard-go"
)

_COUNT = itertools.count()
P1, P2, P3, L1, L2 = "paris/p1", "paris/p2", "paris/p3", "lyon/p1", "lyon/p2"
ACME = (P1, P2, L1, L2, P3)
RANGES = ("10.1.0.0/16", "fd01:1:1::/48")
FLEET = Fleet(
    farms=(FarmSketch("paris", 1500), FarmSketch("lyon")),
    nodes_=(
        NodeSketch("paris", "p1", public=True, fast=True),
        NodeSketch("paris", "p2", public=True, fast=True),
        NodeSketch("paris", "p3", public=False, fast=True),
        NodeSketch("lyon", "p1", public=False),
        NodeSketch("lyon", "p2", public=False),
    ),
    networks=(
        NetworkSketch(
            "acme",
            "web",
            *RANGES,
            resources=tuple(ResourceSketch(ref, index, 1) for index, ref in enumerate(ACME, 1)),
            relays=(P1,),
        ),
        NetworkSketch(
            "globex", "web", *RANGES, resources=(ResourceSketch(P1, 1, 2), ResourceSketch(P2, 2, 2))
        ),
    ),
)
OUTSIDE = ("203.0.113.9", "2001:db8:ff::9")


def run(command: str, timeout: float = 20) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-ec", command], capture_output=True, text=True, timeout=timeout, check=False
    )


def must(*lines: str) -> None:
    for line in lines:
        done = run(line)
        assert done.returncode == 0, f"{line}\n{done.stderr}"


class Machine:
    """Namespaces and processes under one prefix; `close` ends exactly these."""

    def __init__(self, directory: Path) -> None:
        self.prefix = f"t{os.getpid()}-{next(_COUNT)}"
        self.directory = directory
        self._namespaces: list[str] = []
        self._daemons: list[subprocess.Popen[bytes]] = []

    def name(self, word: str) -> str:
        return f"{self.prefix}-{word}"

    def namespace(self, word: str) -> str:
        name = self.name(word)
        must(f"ip netns add {name}", f"ip -n {name} link set lo up")
        self.remember(name)
        return name

    def remember(self, name: str) -> None:
        self._namespaces.append(name)

    def wireguard(self, namespace: str, device: str) -> None:
        """A userspace WireGuard whose socket is in `namespace`; returns when it can be configured."""
        argv = ["ip", "netns", "exec", namespace, "wireguard-go", "-f", device]
        self._daemons.append(subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        until(lambda: Path(f"/var/run/wireguard/{device}.sock").exists(), f"{device} to start")

    def close(self) -> None:
        for daemon in self._daemons:
            daemon.terminate()
            daemon.wait(5)
        for name in self._namespaces:
            run(f"ip netns del {name}")


def until(condition: Callable[[], bool], what: str, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.02)


def _underlay(machine: Machine) -> None:
    """One bridged internet; the hidden nodes behind a masquerading router on 192.168.2.0/24."""
    net = machine.namespace("net")
    must(f"ip -n {net} link add br0 type bridge", f"ip -n {net} link set br0 up")
    must(f"ip -n {net} link add br1 type bridge", f"ip -n {net} link set br1 up")
    for number, ref in enumerate((P1, P2, P3), 1):
        node = machine.namespace(ref.replace("/", "-"))
        _plug(net, "br0", node, "eth0", f"192.0.2.{10 + number}/24", f"2001:db8:1::{number}/64")
        _plug(net, "br1", node, "fast0", f"10.99.1.{number}/24")
        _default(node, "192.0.2.254", "2001:db8:1::fe")
    router = machine.namespace("router")
    _plug(net, "br0", router, "wan", "192.0.2.200/24", "2001:db8:1::c8/64")
    _default(router, "192.0.2.254", "2001:db8:1::fe")
    must(f"ip -n {router} link add lan type bridge", f"ip -n {router} link set lan up")
    must(f"ip -n {router} address add 192.168.2.1/24 dev lan")
    _forward(router)
    nat = "table ip t { chain c { type nat hook postrouting priority 100; oifname wan masquerade; }; }"
    must(f"ip netns exec {router} nft '{nat}'")
    for number, ref in enumerate((L1, L2), 1):
        node = machine.namespace(ref.replace("/", "-"))
        _plug(router, "lan", node, "eth0", f"192.168.2.{10 + number}/24")
        must(f"ip -n {node} route add default via 192.168.2.1")
    _outside(machine, net)


def _outside(machine: Machine, net: str) -> None:
    out = machine.namespace("out")
    must(
        f"ip -n {net} address add 192.0.2.254/24 dev br0",
        f"ip -n {net} address add 2001:db8:1::fe/64 dev br0 nodad",
    )
    must(f"ip -n {net} link add out0 type veth peer name eth0 netns {out}")
    must(f"ip -n {net} link set out0 up", f"ip -n {out} link set eth0 up")
    must(
        f"ip -n {net} address add 203.0.113.1/24 dev out0",
        f"ip -n {out} address add {OUTSIDE[0]}/24 dev eth0",
    )
    must(
        f"ip -n {net} address add 2001:db8:ff::1/64 dev out0 nodad",
        f"ip -n {out} address add {OUTSIDE[1]}/64 dev eth0 nodad",
    )
    _default(out, "203.0.113.1", "2001:db8:ff::1")
    _forward(net)


def _forward(namespace: str) -> None:
    must(f"ip netns exec {namespace} sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1")


def _default(namespace: str, ipv4: str, ipv6: str) -> None:
    must(f"ip -n {namespace} route add default via {ipv4}", f"ip -n {namespace} route add default via {ipv6}")


_PORTS = itertools.count()


def _plug(at: str, bridge: str, namespace: str, name: str, *addresses: str) -> None:
    port = f"p{next(_PORTS)}"
    must(f"ip -n {at} link add {port} type veth peer name {name} netns {namespace}")
    must(f"ip -n {at} link set {port} master {bridge} up", f"ip -n {namespace} link set {name} up")
    for address in addresses:
        nodad = "nodad" if ":" in address else ""
        must(f"ip -n {namespace} address add {address} dev {name} {nodad}")


def _with_second_endpoints(documents: dict[str, Document]) -> dict[str, Document]:
    """The public nodes' IPv6 addresses are endpoints too, so that tenants are kept from them."""
    for number, name in enumerate(("p1", "p2"), 1):
        node = documents[node_path("paris", name)]
        assert isinstance(node, Node)
        endpoints = (*node.spec.endpoints, f"2001:db8:1::{number}")
        spec = msgspec.structs.replace(node.spec, endpoints=endpoints)
        documents[node_path("paris", name)] = msgspec.structs.replace(node, spec=spec)
    return documents


class Farm:
    """All nodes converged by hand, with one container in every NR, named by tenant and node."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._keys: dict[str, Path] = {}
        self.model = self._with_real_keys(FLEET)
        _underlay(machine)
        for ref in FLEET.nodes:
            self._converge(ref)

    def _with_real_keys(self, fleet: Fleet) -> Model:
        documents = dict(fleet.documents)
        for sketch in fleet.networks:
            path = network_path(*sketch.key)
            network = documents[path]
            assert isinstance(network, Network)
            nrs = tuple(msgspec.structs.replace(nr, public_key=self._key()) for nr in network.spec.resources)
            spec = msgspec.structs.replace(network.spec, resources=nrs)
            documents[path] = msgspec.structs.replace(network, spec=spec)
        return Model.of(_with_second_endpoints(documents))

    def _key(self) -> str:
        private = X25519PrivateKey.generate()
        public = base64.b64encode(private.public_key().public_bytes_raw()).decode()
        file = self.machine.directory / f"key{len(self._keys)}"
        file.touch(0o600)
        file.write_text(base64.b64encode(private.private_bytes_raw()).decode())
        self._keys[public] = file
        return public

    def place(self, ref: str, namespace: str) -> str:
        node = self.machine.name(ref.replace("/", "-"))
        return f"{node}-{namespace}" if namespace else node

    def _converge(self, ref: str) -> None:
        compiled = compile_node(self.model, ref)
        self.machine.remember(self.place(ref, "tnet-nat"))
        must(*commands(compiled.node, Setting(lambda name: self.place(ref, name))))
        for part in compiled.networks:
            self._converge_network(ref, part)
            self._attach(ref, part)

    def _converge_network(self, ref: str, part: NetworkPart) -> None:
        assert part.graph is not None
        self.machine.remember(self.place(ref, f"tnet-{part.netid}"))
        devices = [item for item in part.graph.objects if isinstance(item, WireGuard)]
        setting = Setting(lambda name: self.place(ref, name))
        for device in devices:
            born = f"t{os.getpid() % 100000}-{len(self._keys)}-{next(_COUNT)}"
            self.machine.wireguard(self.place(ref, ""), born)
            setting = Setting(setting.place, born, str(self._keys[device.public_key]))
        must(*commands(part.graph, setting))

    def _attach(self, ref: str, part: NetworkPart) -> None:
        container = self.machine.namespace(self._container(part.tenant, ref))
        ipv4, ipv6 = self.addresses(part.tenant, ref)
        _plug(
            self.place(ref, f"tnet-{part.netid}"),
            bridge_name(part.netid),
            container,
            "eth0",
            f"{ipv4}/24",
            f"{ipv6}/64",
        )
        _default(container, f"{ipv4[:-1]}1", f"{ipv6[:-1]}1")

    @staticmethod
    def _container(tenant: str, ref: str) -> str:
        return f"{tenant}-{ref.replace('/', '-')}"

    def addresses(self, tenant: str, ref: str) -> tuple[str, str]:
        network = FLEET.network(tenant, "web")
        nr = network.on(ref) if network else None
        assert nr is not None
        return f"10.1.{nr.index}.2", f"fd01:1:1:{nr.index}::2"

    def container(self, tenant: str, ref: str) -> str:
        return self.machine.name(self._container(tenant, ref))

    def reaches(self, tenant: str, ref: str, targets: Iterable[str], options: str = "") -> None:
        """Asserts that all targets answer, each once within a time that a busy machine can keep."""
        left = set(targets)

        def all_answered() -> bool:
            left.difference_update(self.reached(tenant, ref, left, options))
            return not left

        until(all_answered, f"all answers to {tenant} on {ref}", 20)

    def reached(self, tenant: str, ref: str, targets: Iterable[str], options: str = "") -> set[str]:
        """Which of the targets answer a ping from that container; all are tried at once."""
        inside = ["ip", "netns", "exec", self.container(tenant, ref)]
        tries = {
            target: subprocess.Popen(
                [*inside, "ping", "-c", "1", "-W", "1", *options.split(), target],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for target in targets
        }
        return {target for target, ping in tries.items() if ping.wait(20) == 0}


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    machine = Machine(tmp_path_factory.mktemp("keys"))
    try:
        yield Farm(machine)
    finally:
        machine.close()


ACME_PAIRS = list(itertools.permutations(ACME, 2))


def test_every_container_reaches_every_other_of_its_network(farm: Farm) -> None:
    for here in ACME:
        others = {address for ref in ACME if ref != here for address in farm.addresses("acme", ref)}
        farm.reaches("acme", here, others)


def test_the_greatest_packet_passes_everywhere_and_a_greater_one_is_told(farm: Farm) -> None:
    for here in ACME:
        ipv4 = {farm.addresses("acme", ref)[0] for ref in ACME if ref != here}
        ipv6 = {farm.addresses("acme", ref)[1] for ref in ACME if ref != here}
        farm.reaches("acme", here, ipv4, "-M do -s 1392")
        farm.reaches("acme", here, ipv6, "-M do -s 1372")
        told = run(f"ip netns exec {farm.container('acme', here)} ping -c 1 -W 1 -M do -s 1393 {min(ipv4)}")
        assert "mtu = 1420" in told.stdout, told.stdout + told.stderr


def test_equal_ranges_stay_apart(farm: Farm) -> None:
    """Both tenants have these addresses; each reaches its own. Indexes from 3 on are nobody for globex."""
    own = set(farm.addresses("globex", P2))
    others = {address for ref in (L1, L2, P3) for address in farm.addresses("acme", ref)}
    farm.reaches("globex", P1, own)
    assert farm.reached("globex", P1, others) == set()


def test_a_container_can_not_take_another_address(farm: Farm) -> None:
    container = farm.container("acme", P2)
    must(f"ip -n {container} address add 10.1.1.77/32 dev lo")
    assert farm.reached("acme", P2, {"10.1.1.2"}, "-I 10.1.1.77") == set()
    assert farm.reached("acme", P2, {OUTSIDE[0]}, "-I 10.1.1.77") == set()


def test_the_outside_is_reached_and_does_not_reach_in(farm: Farm) -> None:
    for tenant, ref in (("acme", P1), ("globex", P1), ("acme", P2), ("acme", L1), ("acme", P3)):
        farm.reaches(tenant, ref, OUTSIDE[:1])
    farm.reaches("acme", P1, OUTSIDE)
    out, net = farm.machine.name("out"), farm.machine.name("net")
    must(f"ip -n {out} route replace 10.1.0.0/16 via 203.0.113.1")
    must(f"ip -n {net} route replace 10.1.0.0/16 via 192.0.2.11")
    must(f"ip -n {out} route replace 100.64.0.0/10 via 203.0.113.1")
    must(f"ip -n {net} route replace 100.64.0.0/10 via 192.0.2.11")
    for target in (farm.addresses("acme", P1)[0], "100.64.0.1", "100.64.0.3", "10.1.1.1"):
        assert run(f"ip netns exec {out} ping -c 1 -W 1 {target}").returncode != 0, target


def test_the_path_mtu_of_the_outside_is_told_through_three_masquerades(farm: Farm) -> None:
    net, container = farm.machine.name("net"), farm.container("globex", P1)
    must(f"ip -n {net} link set out0 mtu 1300")
    try:
        for target in OUTSIDE:
            told = run(f"ip netns exec {container} ping -c 2 -W 1 -M do -s 1350 {target}")
            assert "1300" in told.stdout, told.stdout + told.stderr
    finally:
        must(f"ip -n {net} link set out0 mtu 1500")


UNDERLAY = (
    *("192.0.2.11", "192.0.2.12", "2001:db8:1::1", "2001:db8:1::2", "10.99.1.1", "10.99.1.2", "10.99.1.3"),
    *("192.168.2.11", "192.168.2.12", "192.168.2.1", "169.254.169.254"),
    *("100.64.0.0", "100.64.0.1", "100.64.0.2", "100.64.0.3", "100.64.0.4", "100.64.0.5"),
    *("fd74:6e65:7400::", "fd74:6e65:7400::1", "fd74:6e65:7400::3", "fd74:6e65:7400::5"),
)


@pytest.mark.parametrize(("tenant", "ref"), [("acme", P1), ("acme", P3), ("globex", P2), ("acme", L1)])
def test_no_tenant_reaches_the_underlay(farm: Farm, tenant: str, ref: str) -> None:
    assert farm.reached(tenant, ref, UNDERLAY) == set()


# --- hand-made VXLAN ------------------------------------------------------------------------------------


def _forged_ping(tenant: str, index_to: int, vni: int) -> str:
    """In hex: VXLAN around Ethernet around an ICMP echo request to the container of that NR."""
    own = netid(tenant, "web")
    ethernet = mac("vxlan", own, index_to) + mac("vxlan", own, 1)
    icmp = struct.pack(">BBHHH", 8, 0, 0xF7FF, 0, 0)
    ip = struct.pack(
        ">BBHHHBBH4s4s", 0x45, 0, 28, 1, 0, 64, 1, 0, _ip("10.1.1.66"), _ip(f"10.1.{index_to}.2")
    )
    ip = ip[:10] + struct.pack(">H", _checksum(ip)) + ip[12:]
    vxlan = struct.pack(">II", 0x08000000, vni << 8)
    return (vxlan + bytes.fromhex(ethernet.replace(":", "")) + b"\x08\x00" + ip + icmp).hex()


def _ip(text: str) -> bytes:
    return IPv4Address(text).packed


def _checksum(header: bytes) -> int:
    total = int(sum(struct.unpack(f">{len(header) // 2}H", header)))
    return ~(total % 0xFFFF) & 0xFFFF


def _send(namespace: str, payload: str, target: str) -> None:
    code = (
        "import socket, sys; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); "
        "s.sendto(bytes.fromhex(sys.argv[1]), (sys.argv[2], 4789))"
    )
    must(f"ip netns exec {namespace} {sys.executable} -c '{code}' {payload} {target}")


def _echo_requests(namespace: str) -> int:
    """How many ICMP echo requests a namespace has received."""
    text = run(f"ip netns exec {namespace} cat /proc/net/snmp").stdout
    names, values = (line.split() for line in text.splitlines() if line.startswith("Icmp:"))
    return int(str(values[names.index("InEchos")]))


def test_hand_made_vxlan_is_delivered_only_from_a_node_on_the_fast_network(farm: Farm) -> None:
    """The first send shows that the packet is good: from a node's own fast address it gets through."""
    globex = farm.model.network("globex", "web")
    assert globex is not None
    payload, victim = _forged_ping("globex", 2, globex.spec.vnis["paris"]), farm.container("globex", P2)
    before = _echo_requests(victim)
    _send(farm.place(P1, ""), payload, "10.99.1.2")
    until(lambda: _echo_requests(victim) == before + 1, "the forged ping to arrive from a node")
    net = farm.machine.name("net")
    must(f"ip -n {net} address replace 10.99.1.77/24 dev br1")
    for sender, target in (
        (farm.container("acme", P1), "10.99.1.2"),
        (farm.container("acme", P2), "10.99.1.2"),
        (farm.container("acme", P2), "192.0.2.12"),
        (farm.container("acme", L1), "192.0.2.12"),
        (farm.machine.name("out"), "192.0.2.12"),
        (net, "10.99.1.2"),
    ):
        _send(sender, payload, target)
    _send(farm.place(P1, ""), payload, "10.99.1.2")
    until(lambda: _echo_requests(victim) >= before + 2, "the last forged ping to arrive")
    assert _echo_requests(victim) == before + 2


# --- the node's own ports ----------------------------------------------------------------------------------

_KNOCK = """
import socket, sys
own, peer, peer_port = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("", own)); s.settimeout(1.5)
s.sendto(b"knock", (peer, peer_port)); print("sent", flush=True)
try:
    print(s.recv(100).decode())
except TimeoutError:
    print("nothing")
"""


def test_a_tenant_can_not_draw_the_packets_of_a_hidden_peer_to_itself(farm: Farm) -> None:
    """Port shadowing: a flow from the node's own WireGuard port to where a hidden peer dials from would make
    the peer's packets answers to that flow. Tenants' flows never leave from WireGuard's ports."""
    router, port = ("192.0.2.200", 40000), 51820
    inside = ["ip", "netns", "exec", farm.container("globex", P1), sys.executable, "-c", _KNOCK]
    knock = subprocess.Popen(
        [*inside, str(port), router[0], str(router[1])], stdout=subprocess.PIPE, text=True
    )
    assert knock.stdout is not None
    assert knock.stdout.readline() == "sent\n"
    behind = ["ip", "netns", "exec", farm.machine.name("router"), sys.executable, "-c", _KNOCK]
    reply = [*behind, str(router[1]), "192.0.2.11", str(port)]
    subprocess.run(reply, capture_output=True, timeout=20, check=True)
    assert knock.wait(20) == 0
    assert knock.stdout.read() == "nothing\n"
