"""Many messages in few sends: every answer belongs to its operation, and nothing is lost on the way."""

from __future__ import annotations

import errno
import os
import threading
from ipaddress import IPv4Interface, ip_address, ip_interface, ip_network
from pathlib import Path

import pytest

from reconciler.kernel.codec import address, dump, link
from reconciler.kernel.codec.wire import DUMP, message
from reconciler.kernel.linux import LinuxTransport
from reconciler.kernel.netlink_kernel import NetlinkKernel
from reconciler.kernel.objects import HOST, Address, Bridge, Namespace, Route, Sysctl
from reconciler.kernel.port import KernelUnavailable
from reconciler.kernel.transport import NamespaceMissing, TransportError
from tests.integration.kernel.keys import Keys
from tests.integration.kernel.operations import NS, add, delete, done, run, seen

BRIDGE = Bridge(NS, "b0", 1420, "02:00:00:00:00:01")


def addresses(count: int) -> list[Address]:
    return [Address(NS, "b0", IPv4Interface((0x0A000001 + 256 * place, 24))) for place in range(count)]


def test_errors_belong_to_their_operations_and_the_rest_goes_on(home: NetlinkKernel) -> None:
    good = addresses(1000)
    done(home.execute(add(BRIDGE, *good[::7])))
    outcomes = home.execute(add(*good))
    taken = {place for place, outcome in enumerate(outcomes) if outcome.code == errno.EEXIST}
    assert taken == set(range(0, 1000, 7))
    assert {outcome.code for outcome in outcomes} == {0, errno.EEXIST}
    assert [outcome.operation.after for outcome in outcomes] == good
    assert set(good) <= seen(home)


def test_everything_can_fail(home: NetlinkKernel) -> None:
    done(home.execute(add(BRIDGE, *addresses(700))))
    assert [outcome.code for outcome in home.execute(add(*addresses(700)))] == [errno.EEXIST] * 700
    done(home.execute(delete(*addresses(700))))
    done(home.execute(delete(*addresses(700))))


def test_the_kernels_own_words_are_told(home: NetlinkKernel) -> None:
    unreachable = Route(NS, ip_network("10.5.0.0/16"), "b0", ip_address("10.99.0.1"))
    outcomes = home.execute(add(BRIDGE, unreachable))
    assert [outcome.code for outcome in outcomes] == [0, errno.ENETUNREACH]
    assert "invalid gateway" in outcomes[1].detail


def test_what_needs_a_failed_one_is_canceled(home: NetlinkKernel) -> None:
    misnamed = Bridge(NS, "b/0", 1420, "02:00:00:00:00:01")
    orphan = Address(NS, "b/0", ip_interface("10.1.2.1/24"))
    table = Sysctl(NS, "net/ipv4/conf/b/0/rp_filter", "0")
    outcomes = home.execute(add(misnamed, orphan, BRIDGE, table, *addresses(1)))
    codes = [outcome.code for outcome in outcomes]
    assert codes == [errno.EINVAL, errno.ECANCELED, 0, errno.ENOENT, 0]


def test_a_namespace_that_is_not_there(home: NetlinkKernel, transport: LinuxTransport) -> None:
    elsewhere = Bridge("tnet-nowhere", "b0", 1420, "02:00:00:00:00:01")
    (outcome,) = home.execute(add(elsewhere))
    assert outcome.code in (errno.ENOENT, errno.ENODEV) and "tnet-nowhere" in outcome.detail
    done(home.execute(delete(elsewhere)))
    with pytest.raises(NamespaceMissing):
        transport.route_dump("tnet-nowhere", dump.links())


def test_sysctls_one_by_one(home: NetlinkKernel) -> None:
    good = Sysctl(NS, "net/ipv4/conf/all/forwarding", "1")
    missing = Sysctl(NS, "net/ipv4/conf/all/nonsense", "1")
    refused = Sysctl(NS, "net/ipv6/conf/default/addr_gen_mode", "99")
    outside = Sysctl(HOST, "kernel/hostname", "x")
    codes = [outcome.code for outcome in home.execute(add(good, missing, refused, outside))]
    assert codes == [0, errno.ENOENT, errno.EINVAL, errno.EPERM]
    assert good in seen(home, good.key, missing.key)


def test_a_dump_larger_than_any_buffer(home: NetlinkKernel) -> None:
    items = addresses(5000)
    done(home.execute(add(BRIDGE, *items)))
    assert set(items) <= seen(home)


def test_a_refused_dump_raises_and_the_socket_goes_on(home: NetlinkKernel, transport: LinuxTransport) -> None:
    with pytest.raises(TransportError) as caught:
        transport.route_dump(NS, message(link.RTM_GETLINK, DUMP, b"\xff" * 15))
    assert caught.value.code == errno.EINVAL
    assert transport.route_dump(NS, dump.links())


def test_dumps_are_whole_while_links_come_and_go(home: NetlinkKernel, transport: LinuxTransport) -> None:
    """The kernel marks a dump that changed under it, and it is read again."""
    bridges = [Bridge(NS, f"k{place}", 1500, f"02:00:00:00:01:{place:02x}") for place in range(60)]
    done(home.execute(add(*bridges)))
    stop = threading.Event()

    def churn() -> None:
        while not stop.is_set():
            index = 900
            made = link.create_bridge(Bridge(NS, "churn", 1500, "02:00:00:00:02:00"), index)
            transport.route_request(NS, [made, link.delete_link(index)])

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        for _ in range(200):
            names = {link.decode_link(item).name for item in transport.route_dump(NS, dump.links())}
            assert {bridge.name for bridge in bridges} <= names
    finally:
        stop.set()
        thread.join()


def test_threads_share_a_socket_without_mixing_answers(
    home: NetlinkKernel, transport: LinuxTransport
) -> None:
    done(home.execute(add(BRIDGE)))
    index = home.observe().indexes[BRIDGE.key]
    problems: list[object] = []

    def worker(net: int) -> None:
        items = [
            Address(NS, "b0", IPv4Interface((0x0B000001 + (net << 16) + (n << 8), 24))) for n in range(40)
        ]
        for _ in range(15):
            made = transport.route_request(NS, [address.add_address(item, index) for item in items])
            again = transport.route_request(NS, [address.add_address(item, index) for item in items])
            gone = transport.route_request(NS, [address.delete_address(item, index) for item in items])
            problems.extend(ack for ack in (*made, *gone) if ack.code)
            problems.extend(ack for ack in again if ack.code != errno.EEXIST)

    threads = [threading.Thread(target=worker, args=(net,)) for net in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


@pytest.mark.usefixtures("machine")
def test_without_permission_the_kernel_is_unavailable_with_advice(keys: Keys) -> None:
    os.seteuid(65534)
    try:
        transport = LinuxTransport()
        kernel = NetlinkKernel(transport, keys)
        with pytest.raises(KernelUnavailable) as caught:
            kernel.observe()
        transport.close()
    finally:
        os.seteuid(0)
    assert "Operation not permitted" in str(caught.value)
    assert "root" in caught.value.advice


def test_a_name_that_is_no_file_name_is_an_outcome(kernel: NetlinkKernel) -> None:
    (outcome,) = kernel.execute(add(Namespace("tnet-" + "x" * 300)))
    assert outcome.code == errno.ENAMETOOLONG


def test_what_is_open_goes_with_its_namespace(home: NetlinkKernel, transport: LinuxTransport) -> None:
    home.observe()
    descriptors = Path("/proc/self/fd")
    before = len(list(descriptors.iterdir()))
    for place in range(20):
        name = f"tnet-{place}"
        done(home.execute(add(Namespace(name))))
        done(home.execute(add(Bridge(name, "b0", 1420, "02:00:00:00:00:01"))))
        transport.nft_generation(name)
        home.observe()
    for place in range(20):
        done(home.execute(delete(Namespace(f"tnet-{place}"))))
    assert len(list(descriptors.iterdir())) <= before
    assert "tnet-1" not in run("ip", "netns")


def test_nft_works_whatever_number_of_descriptors_is_open(transport: LinuxTransport) -> None:
    """libnftables waits with select, which ends the process for a descriptor above 1023."""
    for place in range(420):
        transport.namespace_add(f"tnet-{place}")
        transport.nft_generation(f"tnet-{place}")
    for place in range(420):
        assert "metainfo" in transport.nft(f"tnet-{place}", '{"nftables": [{"list": {"ruleset": {}}}]}')
