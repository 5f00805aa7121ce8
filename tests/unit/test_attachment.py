"""Choosing addresses for containers, and remembering them."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Network
from pathlib import Path

import pytest

from reconciler.host.attachment import Attachment, AttachmentError, AttachmentStore, new_attachment

SLICES = (IPv4Network("10.10.1.0/24"), IPv6Network("fd00:1:2:1::/64"))


def attach(namespace: str, taken: tuple[Attachment, ...] = (), address: str | None = None) -> Attachment:
    asked = IPv4Address(address) if address else None
    return new_attachment("acme", "web", "netid", SLICES, namespace, "eth0", taken, asked)


def test_the_first_container_follows_the_bridge_and_has_one_number_in_both_families() -> None:
    first = attach("a")
    assert (str(first.ipv4), str(first.ipv6)) == ("10.10.1.2/24", "fd00:1:2:1::2/64")
    assert (str(first.gateway_ipv4), str(first.gateway_ipv6)) == ("10.10.1.1", "fd00:1:2:1::1")


def test_a_free_address_is_one_that_no_other_attachment_has() -> None:
    first = attach("a")
    asked = attach("b", (first,), "10.10.1.3")
    assert str(attach("c", (first, asked)).ipv4.ip) == "10.10.1.4"


def test_ports_of_two_attachments_never_share_a_name() -> None:
    assert attach("a").port != attach("b").port
    assert len(attach("a" * 200).port) <= 15


@pytest.mark.parametrize("address", ["10.10.1.0", "10.10.1.1", "10.10.1.255", "10.10.2.2", "10.10.1.2"])
def test_an_address_that_is_not_to_be_had_is_refused_with_advice(address: str) -> None:
    with pytest.raises(AttachmentError) as caught:
        attach("b", (attach("a"),), address)
    assert address in str(caught.value)
    assert caught.value.advice


def test_the_same_interface_is_not_attached_twice() -> None:
    with pytest.raises(AttachmentError, match="already"):
        attach("a", (attach("a"),))


def test_a_full_slice_is_said() -> None:
    taken: tuple[Attachment, ...] = ()
    for number in range(253):
        taken += (attach(f"n{number}", taken),)
    with pytest.raises(AttachmentError, match="no address is free"):
        attach("one-more", taken)


@pytest.mark.parametrize("namespace", ["", "a b", "a\0b", "../x"])
def test_a_bad_namespace_name_is_refused(namespace: str) -> None:
    with pytest.raises(AttachmentError, match="no namespace"):
        attach(namespace)


def test_attachments_are_remembered_and_forgotten(tmp_path: Path) -> None:
    store = AttachmentStore(tmp_path / "attachments")
    assert store.all() == ()
    store.add(attach("a"))
    store.add(attach("b", store.all()))
    assert {item.namespace for item in store.all()} == {"a", "b"}
    store.remove(attach("a"))
    assert [item.namespace for item in store.all()] == ["b"]


def test_a_corrupt_attachment_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(AttachmentError, match=r"x\.json"):
        AttachmentStore(tmp_path).all()
