"""Namespaces, nft tables and sysctls: what isn't a netlink message to a link."""

from __future__ import annotations

import errno
from contextlib import suppress

from reconciler.kernel import nft_json
from reconciler.kernel.codec.link import LOOPBACK_INDEX, mark_namespace
from reconciler.kernel.execution.work import Refused, Step, Work
from reconciler.kernel.nftables import NftTable
from reconciler.kernel.objects import Namespace, Sysctl
from reconciler.kernel.transport import NamespaceMissing


def add_namespace(work: Work, step: Step, item: Namespace) -> None:
    work.settle(step)
    work.transport.namespace_add(item.name, [mark_namespace(step.alias)])
    work.known.born(item.name, step.owner, LOOPBACK_INDEX)


def delete_namespace(work: Work, step: Step, item: Namespace) -> None:
    """With all in it. Daemons whose link is in it are ended first: their sockets are in another namespace and
    would outlive it.

    Whose it is was seen when it was last looked at, and the transport deletes no other than that one. It is
    not looked at again: while the kernel tears down the one before, a dump of links waits for it (11 ms
    each, with a thousand to delete, on 6.18).
    """
    work.settle(step)
    if item.name not in work.known:
        _look_again(work, item)
    if item.name in work.known:
        _delete_known(work, step, item)


def _look_again(work: Work, item: Namespace) -> None:
    with suppress(NamespaceMissing):
        work.links(item.name)


def _delete_known(work: Work, step: Step, item: Namespace) -> None:
    if work.known.owner(item.name) != step.owner:
        raise Refused(errno.EPERM, f"the namespace {item.name} is not ours")
    for device in work.known.daemons(item.name):
        work.transport.wireguard_stop(device)
    with suppress(NamespaceMissing):
        work.transport.namespace_delete(item.name)
    work.known.forget(item.name)


def add_table(work: Work, step: Step, item: NftTable) -> None:
    work.settle(step)
    work.transport.nft(item.namespace, nft_json.add_table(item))


def change_table(work: Work, step: Step, _before: NftTable, after: NftTable) -> None:
    work.settle(step)
    work.transport.nft(after.namespace, nft_json.replace_table(after))


def delete_table(work: Work, step: Step, item: NftTable) -> None:
    work.settle(step)
    with suppress(NamespaceMissing):
        work.transport.nft(item.namespace, nft_json.delete_table(item.name))


def set_sysctl(work: Work, step: Step, item: Sysctl) -> None:
    work.pipeline.sysctl(step.position, item.namespace, item.path, item.value)


def change_sysctl(work: Work, step: Step, _before: Sysctl, after: Sysctl) -> None:
    set_sysctl(work, step, after)


def forget_sysctl(_work: Work, _step: Step, _item: Sysctl) -> None:
    """A sysctl can't be deleted, and what it was before we set it is nobody's wish: it stays."""
