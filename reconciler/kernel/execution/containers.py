"""Namespaces, nft tables and sysctls: what isn't a netlink message to a link."""

from __future__ import annotations

import errno

from reconciler.kernel import nft_json
from reconciler.kernel.codec.link import LOOPBACK_INDEX, mark_namespace
from reconciler.kernel.execution.work import Refused, Step, Work
from reconciler.kernel.nftables import NftTable
from reconciler.kernel.objects import Namespace, Sysctl
from reconciler.kernel.observation.namespace_view import view
from reconciler.kernel.transport import NamespaceMissing


def add_namespace(work: Work, step: Step, item: Namespace) -> None:
    work.settle(step)
    work.transport.namespace_add(item.name, [mark_namespace(step.alias)])
    work.known.forget(item.name)
    work.known.made(item.name, "lo", LOOPBACK_INDEX)


def delete_namespace(work: Work, step: Step, item: Namespace) -> None:
    """With all in it. Daemons whose link is in it are ended first: their sockets are in another namespace and
    would outlive it."""
    work.settle(step)
    try:
        seen = view(work.transport, item.name)
        if seen.owner != step.owner:
            raise Refused(errno.EPERM, f"the namespace {item.name} is not ours any more")
        names = {link.name for index, link in seen.links.items() if index in seen.owners}
        for device in names & work.transport.wireguard_running():
            work.transport.wireguard_stop(device)
        work.transport.namespace_delete(item.name)
    except NamespaceMissing:
        pass
    work.known.forget(item.name)


def add_table(work: Work, step: Step, item: NftTable) -> None:
    work.settle(step)
    work.transport.nft(item.namespace, nft_json.add_table(item))


def change_table(work: Work, step: Step, _before: NftTable, after: NftTable) -> None:
    work.settle(step)
    work.transport.nft(after.namespace, nft_json.replace_table(after))


def delete_table(work: Work, step: Step, item: NftTable) -> None:
    work.settle(step)
    try:
        work.transport.nft(item.namespace, nft_json.delete_table(item.name))
    except NamespaceMissing:
        return


def set_sysctl(work: Work, step: Step, item: Sysctl) -> None:
    work.pipeline.sysctl(step.position, item.namespace, item.path, item.value)


def change_sysctl(work: Work, step: Step, _before: Sysctl, after: Sysctl) -> None:
    set_sysctl(work, step, after)


def forget_sysctl(_work: Work, _step: Step, _item: Sysctl) -> None:
    """A sysctl can't be deleted, and what it was before we set it is nobody's wish: it stays."""
