"""Addresses, routes, rules, neighbours, forwarding entries."""

from __future__ import annotations

import errno

from reconciler.kernel.codec import address, fdb, neighbour, route, rule
from reconciler.kernel.execution.work import Step, Work
from reconciler.kernel.objects import HOST, Address, FdbEntry, Neighbour, Route, Rule

_NO_ADDRESS = frozenset({errno.EADDRNOTAVAIL, errno.ENODEV})
_NO_ROUTE = frozenset({errno.ESRCH, errno.ENODEV})
_NO_ENTRY = frozenset({errno.ENOENT, errno.ENODEV})


def add_address(work: Work, step: Step, item: Address) -> None:
    message = address.add_address(item, work.index(item.namespace, item.link))
    work.pipeline.route(step.position, item.namespace, message)


def delete_address(work: Work, step: Step, item: Address) -> None:
    index = work.known_index(item.namespace, item.link)
    if index is not None:
        message = address.delete_address(item, index)
        work.pipeline.route(step.position, item.namespace, message, _NO_ADDRESS)


def add_route(work: Work, step: Step, item: Route) -> None:
    message = route.add_route(item, work.index(item.namespace, item.link))
    work.pipeline.route(step.position, item.namespace, message)


def change_route(work: Work, step: Step, before: Route, after: Route) -> None:
    """At once in a namespace of ours. In the node's own, the kernel's replacing would take whatever route to
    this destination it finds first; so there ours goes and the new one comes, in one send."""
    index = work.index(after.namespace, after.link)
    if after.namespace != HOST:
        work.pipeline.route(step.position, after.namespace, route.replace_route(after, index))
        return
    delete_route(work, step, before)
    work.pipeline.route(step.position, after.namespace, route.add_route(after, index))


def delete_route(work: Work, step: Step, item: Route) -> None:
    index = work.known_index(item.namespace, item.link)
    if index is not None:
        work.pipeline.route(step.position, item.namespace, route.delete_route(item, index), _NO_ROUTE)


def add_rule(work: Work, step: Step, item: Rule) -> None:
    work.pipeline.route(step.position, item.namespace, rule.add_rule(item))


def delete_rule(work: Work, step: Step, item: Rule) -> None:
    work.pipeline.route(step.position, item.namespace, rule.delete_rule(item), _NO_ENTRY)


def set_neighbour(work: Work, step: Step, item: Neighbour) -> None:
    """Takes over an entry that the kernel has resolved, or one that a deletion has left as failed."""
    message = neighbour.replace_neighbour(item, work.index(item.namespace, item.link))
    work.pipeline.route(step.position, item.namespace, message)


def change_neighbour(work: Work, step: Step, _before: Neighbour, after: Neighbour) -> None:
    set_neighbour(work, step, after)


def delete_neighbour(work: Work, step: Step, item: Neighbour) -> None:
    index = work.known_index(item.namespace, item.link)
    if index is not None:
        message = neighbour.delete_neighbour(item, index)
        work.pipeline.route(step.position, item.namespace, message, _NO_ENTRY)


def add_fdb(work: Work, step: Step, item: FdbEntry) -> None:
    message = fdb.add_fdb(item, work.index(item.namespace, item.link))
    work.pipeline.route(step.position, item.namespace, message)


def change_fdb(work: Work, step: Step, _before: FdbEntry, after: FdbEntry) -> None:
    message = fdb.replace_fdb(after, work.index(after.namespace, after.link))
    work.pipeline.route(step.position, after.namespace, message)


def delete_fdb(work: Work, step: Step, item: FdbEntry) -> None:
    index = work.known_index(item.namespace, item.link)
    if index is not None:
        work.pipeline.route(step.position, item.namespace, fdb.delete_fdb(item, index), _NO_ENTRY)
