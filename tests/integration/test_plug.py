"""Plugging containers into a real bridge: what is half there is made whole, what is wrong is refused."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

import msgspec
import pytest

from reconciler.compile.names import bridge_name, namespace_name
from reconciler.host.attachment import Attachment, AttachmentError, new_attachment
from reconciler.host.plug import is_plugged, plug, plug_again, seen, unplug

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="makes network namespaces")

SLICES = (IPv4Network("10.10.1.0/24"), IPv6Network("fd00:1:2:1::/64"))


def ip(*arguments: str) -> str:
    return subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True).stdout


class Site:
    """A network's namespace with a bridge, and a container's, under names that nobody else has."""

    def __init__(self, number: int) -> None:
        self.netid = f"t{os.getpid()}x{number}"
        self.network = namespace_name(self.netid)
        self.guest = f"guest-{self.netid}"

    def make(self) -> None:
        for name in (self.network, self.guest):
            ip("netns", "add", name)
        self.make_bridge()

    def make_bridge(self) -> None:
        ip("-n", self.network, "link", "add", bridge_name(self.netid), "type", "bridge")
        ip("-n", self.network, "link", "set", bridge_name(self.netid), "up")
        for address in ("10.10.1.1/24", "fd00:1:2:1::1/64"):
            ip("-n", self.network, "address", "add", address, "dev", bridge_name(self.netid))

    def attachment(self, namespace: str = "", interface: str = "eth0") -> Attachment:
        where = namespace or self.guest
        return new_attachment("acme", "web", self.netid, SLICES, where, interface, (), None, seen(where))

    def remove(self) -> None:
        for name in (self.network, self.guest):
            subprocess.run(["ip", "netns", "del", name], check=False, stderr=subprocess.DEVNULL)


@pytest.fixture
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    made = Site(abs(hash(request.node.name)) % 10000)
    try:
        made.make()
        yield made
    finally:
        made.remove()


def test_a_port_whose_bridge_went_is_put_into_the_new_one(site: Site) -> None:
    attachment = site.attachment()
    plug(attachment)
    ip("-n", site.network, "link", "del", bridge_name(site.netid))
    site.make_bridge()
    assert not is_plugged(attachment)
    assert plug_again([attachment]) == ()
    assert is_plugged(attachment)


def test_a_port_whose_maker_died_is_finished(site: Site) -> None:
    attachment = site.attachment()
    peer = ("peer", "name", attachment.interface, "netns", site.guest)
    ip("-n", site.network, "link", "add", attachment.port, "type", "veth", *peer)
    assert plug_again([attachment]) == ()
    assert str(attachment.ipv4) in ip("-n", site.guest, "address", "show", "eth0")
    assert str(attachment.ipv6) in ip("-n", site.guest, "address", "show", "eth0")
    assert f"default via {attachment.gateway_ipv6}" in ip("-n", site.guest, "-6", "route")


def test_a_network_that_came_back_with_other_addresses_is_told(site: Site) -> None:
    attachment = site.attachment()
    plug(attachment)
    bridge = bridge_name(site.netid)
    ip("-n", site.network, "address", "flush", "dev", bridge)
    ip("-n", site.network, "address", "add", "10.77.1.1/24", "dev", bridge)
    ((failed, why),) = plug_again([attachment])
    assert failed == attachment
    assert "other addresses" in why


def test_plugging_twice_changes_nothing(site: Site) -> None:
    attachment = site.attachment()
    plug(attachment)
    before = ip("-n", site.guest, "address", "show", "eth0")
    plug(attachment)
    assert ip("-n", site.guest, "address", "show", "eth0") == before
    unplug(attachment)
    assert not is_plugged(attachment)


def test_the_file_of_a_namespace_that_is_no_more_is_told_and_stops_nothing(site: Site) -> None:
    attachment = site.attachment()
    ip("netns", "del", site.guest)
    stale = Path("/run/netns") / site.guest
    stale.touch()
    try:
        ((failed, why),) = plug_again([attachment])
        assert failed == attachment
        assert site.guest in why
    finally:
        stale.unlink()


def test_the_nodes_own_namespace_is_refused(site: Site) -> None:
    with pytest.raises(AttachmentError, match="node's own"):
        plug(site.attachment("/proc/self/ns/net", "eth9"))


def test_a_namespace_of_another_network_is_refused(site: Site) -> None:
    with pytest.raises(AttachmentError, match="tnet's own"):
        site.attachment(site.network)


def test_a_process_id_that_was_given_out_again_is_noticed(site: Site) -> None:
    sleeper = subprocess.Popen(["ip", "netns", "exec", site.guest, "sleep", "60"])
    try:
        path = f"/proc/{sleeper.pid}/ns/net"
        while Path(path).stat().st_ino != Path("/run/netns", site.guest).stat().st_ino:
            assert sleeper.poll() is None
        attachment = site.attachment(path)
        plug(attachment)
        unplug(attachment)
        with pytest.raises(AttachmentError, match="another namespace"):
            plug(msgspec.structs.replace(attachment, seen="another boot 1"))
    finally:
        sleeper.kill()
        sleeper.wait()
