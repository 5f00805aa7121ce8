"""A batch of operations to its outcomes."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from reconciler.kernel.execution import containers, contents, links, wireguard
from reconciler.kernel.execution.make_room import deadline, make_room
from reconciler.kernel.execution.pipeline import Pipeline
from reconciler.kernel.execution.work import Refused, Step, Work, unexpected
from reconciler.kernel.graph import KernelObject
from reconciler.kernel.known_links import KnownLinks
from reconciler.kernel.nftables import NftTable
from reconciler.kernel.objects import (
    Address,
    Bridge,
    FdbEntry,
    Key,
    Namespace,
    Neighbour,
    Route,
    Rule,
    Sysctl,
    Veth,
    VethPeer,
    Vxlan,
    WireGuard,
    WireGuardPeer,
)
from reconciler.kernel.port import Operation, Outcome, SecretStore
from reconciler.kernel.transport import Ack, NamespaceMissing, Transport, TransportError

_CANCELED = Ack(errno.ECANCELED, "what it needs failed")


def _never(_work: Work, _step: Step, _before: Any, after: KernelObject) -> None:
    raise unexpected(after)


class _Kind(NamedTuple):
    add: Callable[[Work, Step, Any], None]
    delete: Callable[[Work, Step, Any], None]
    change: Callable[[Work, Step, Any, Any], None] = _never


_KINDS: dict[type, _Kind] = {
    Namespace: _Kind(containers.add_namespace, containers.delete_namespace),
    Sysctl: _Kind(containers.set_sysctl, containers.forget_sysctl, containers.change_sysctl),
    NftTable: _Kind(containers.add_table, containers.delete_table, containers.change_table),
    Bridge: _Kind(links.add_bridge, links.delete_link, links.change_link),
    Veth: _Kind(links.add_veth, links.delete_link, links.change_link),
    VethPeer: _Kind(links.add_veth_peer, links.delete_link, links.change_link),
    Vxlan: _Kind(links.add_vxlan, links.delete_link, links.change_link),
    WireGuard: _Kind(wireguard.add_device, wireguard.delete_device, wireguard.change_device),
    WireGuardPeer: _Kind(wireguard.add_peer, wireguard.delete_peer, wireguard.change_peer),
    Address: _Kind(contents.add_address, contents.delete_address),
    Route: _Kind(contents.add_route, contents.delete_route, contents.change_route),
    Rule: _Kind(contents.add_rule, contents.delete_rule),
    Neighbour: _Kind(contents.set_neighbour, contents.delete_neighbour, contents.change_neighbour),
    FdbEntry: _Kind(contents.add_fdb, contents.delete_fdb, contents.change_fdb),
}

_LINKS = (Bridge, Veth, Vxlan, WireGuard)


class Executor:
    def __init__(self, transport: Transport, secrets: SecretStore, known: KnownLinks) -> None:
        self._transport = transport
        self._secrets = secrets
        self._known = known

    def execute(self, operations: Sequence[Operation]) -> list[Outcome]:
        """As `port.Kernel.execute`. What failed only because a remnant was in the way is tried again."""
        outcomes = self._attempt(operations)
        until = deadline()
        while (again := self._worth_another_try(outcomes, until)) and time.monotonic() < until:
            retried = self._attempt([outcomes[position].operation for position in again])
            for position, outcome in zip(again, retried, strict=True):
                outcomes[position] = outcome
        return outcomes

    def _attempt(self, operations: Sequence[Operation]) -> list[Outcome]:
        work = Work(self._transport, self._secrets, self._known, Pipeline(self._transport))
        for position, operation in enumerate(operations):
            self._try_one(work, position, operation, operations)
        work.pipeline.flush()
        return self._outcomes(work.pipeline.errors, operations)

    def _try_one(
        self, work: Work, position: int, operation: Operation, operations: Sequence[Operation]
    ) -> None:
        errors = work.pipeline.errors
        if errors and _needs_any(operation, {operations[failed].key for failed in errors}):
            work.pipeline.fail(position, _CANCELED)
            return
        try:
            _carry_out(work, Step(position, operation.owner), operation)
        except Refused as refused:
            work.pipeline.fail(position, refused.ack)
        except NamespaceMissing as missing:
            if operation.verb != "delete":
                work.pipeline.fail(position, Ack(missing.code, str(missing)))
        except TransportError as error:
            work.pipeline.fail(position, Ack(error.code, str(error)))

    def _outcomes(self, errors: dict[int, Ack], operations: Sequence[Operation]) -> list[Outcome]:
        """What was sent together with what it needs has failed with an errno of its own: it is told as
        canceled too."""
        outcomes = []
        failed: set[Key] = set()
        for position, operation in enumerate(operations):
            ack = errors.get(position, Ack(0))
            if ack.code and _needs_any(operation, failed):
                ack = _CANCELED
            if ack.code:
                failed.add(operation.key)
                self._known.forget(operation.key.namespace)
            outcomes.append(Outcome(operation, ack.code, ack.text))
        return outcomes

    def _worth_another_try(self, outcomes: list[Outcome], until: float) -> list[int]:
        """Positions of all that failed, if the way of a link among it could be cleared: the rest may have
        failed on its account, also by leaning on it without naming it (a route on its source address)."""
        work = Work(self._transport, self._secrets, self._known, Pipeline(self._transport))
        cleared = [
            position
            for position, outcome in enumerate(outcomes)
            if _name_was_taken(outcome) and self._clear(work, outcome.operation, until)
        ]
        if not cleared:
            return []
        return [position for position, outcome in enumerate(outcomes) if not outcome.ok]

    def _clear(self, work: Work, operation: Operation, until: float) -> bool:
        assert isinstance(operation.after, _LINKS)
        try:
            return make_room(work, operation.after, until)
        except TransportError:
            return False


def _carry_out(work: Work, step: Step, operation: Operation) -> None:
    before, after = operation.before, operation.after
    if operation.verb == "add":
        _KINDS[type(after)].add(work, step, after)
    elif operation.verb == "delete":
        _KINDS[type(before)].delete(work, step, before)
    else:
        _KINDS[type(after)].change(work, step, before, after)


def _needs_any(operation: Operation, failed: set[Key]) -> bool:
    """Deletions need nothing but what they delete."""
    if operation.after is None or not failed:
        return False
    return not failed.isdisjoint(operation.after.needs)


def _name_was_taken(outcome: Outcome) -> bool:
    operation = outcome.operation
    return outcome.code == errno.EEXIST and operation.verb == "add" and isinstance(operation.after, _LINKS)
