"""FakeTransport: the six seams of `transport.Transport` over a kernel in memory."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Literal

from reconciler.kernel.fake import (
    addresses,
    daemons,
    devices,
    dumps,
    fdb,
    links,
    neighbours,
    routes,
    rule_messages,
    sysctls,
    wireguard_genl,
    wireguard_uapi,
)
from reconciler.kernel.fake.boot import boot
from reconciler.kernel.fake.decode import (
    NLM_F_DUMP,
    RTM_DELADDR,
    RTM_DELLINK,
    RTM_DELNEIGH,
    RTM_DELROUTE,
    RTM_DELRULE,
    RTM_NEWADDR,
    RTM_NEWLINK,
    RTM_NEWNEIGH,
    RTM_NEWROUTE,
    RTM_NEWRULE,
    RTM_SETLINK,
    Message,
    decode,
)
from reconciler.kernel.fake.faults import Faults
from reconciler.kernel.fake.nft.transaction import Transaction
from reconciler.kernel.fake.refusals import NotModelled, Refused
from reconciler.kernel.fake.world import Netns, World
from reconciler.kernel.transport import Ack, NamespaceMissing, TransportError

AF_BRIDGE = 7
NSFS_DEVICE = 4
"""Stands for the device number of nsfs in what `namespaces` returns."""

FIRST_HANDLE = 1000


def _neighbour(world: World, space: Netns, message: Message) -> None:
    (fdb if message.fields["family"] == AF_BRIDGE else neighbours).handle(space, message)


_HANDLERS: dict[int, Callable[[World, Netns, Message], None]] = {
    RTM_NEWLINK: links.handle,
    RTM_SETLINK: links.handle,
    RTM_DELLINK: links.delete_link,
    **dict.fromkeys(
        (RTM_NEWADDR, RTM_DELADDR), lambda world, space, message: addresses.handle(space, message)
    ),
    **dict.fromkeys(
        (RTM_NEWROUTE, RTM_DELROUTE), lambda world, space, message: routes.handle(space, message)
    ),
    **dict.fromkeys(
        (RTM_NEWRULE, RTM_DELRULE), lambda world, space, message: rule_messages.handle(space, message)
    ),
    **dict.fromkeys((RTM_NEWNEIGH, RTM_DELNEIGH), _neighbour),
}


class FakeTransport:
    """A kernel in memory that speaks netlink's bytes.

    `world` is the state, `faults` what shall go wrong. Several transports may share a world, one after
    the other: a process that died and its successor.
    """

    def __init__(
        self, world: World | None = None, wireguard: Literal["kernel", "userspace"] = "userspace"
    ) -> None:
        self.world = boot() if world is None else world
        self.faults = Faults()
        self.wireguard = wireguard

    def fail(self, at: int, code: int) -> None:
        """The `at`-th change from now (the next one is 1) is refused with the errno `code`."""
        self.faults.fail(at, code)

    def die(self, at: int, when: Literal["before", "after"] = "before") -> None:
        """Raise `faults.Death` before or after the `at`-th change from now (the next one is 1)."""
        self.faults.die(at, when)

    def _space(self, namespace: str) -> Netns:
        space = self.world.space(namespace)
        if space is None:
            raise NamespaceMissing(errno.ENOENT, f"there is no namespace {namespace}")
        return space

    @contextmanager
    def _change(self, kind: str, what: str) -> Iterator[None]:
        """One change of a seam that is refused as a whole, by TransportError."""
        code = self.faults.begin_change(kind)
        if code:
            raise TransportError(code, f"{what}: refused on purpose")
        try:
            yield
        except Refused as refused:
            raise TransportError(refused.code, f"{what}: {refused.text}".rstrip(": ")) from None
        self.faults.end_change(kind)

    def _acknowledged(self, kind: str, change: Callable[..., None], *arguments: object) -> Ack:
        """One change of a seam that acknowledges each of several."""
        code = self.faults.begin_change(kind)
        ack = Ack(code, "refused on purpose") if code else _ack(change, *arguments)
        self.faults.end_change(kind)
        return ack

    # --- rtnetlink -----------------------------------------------------------------------------------

    def route_request(self, namespace: str, messages: Sequence[bytes]) -> list[Ack]:
        space = self._space(namespace)
        return [self._acknowledged("route", self._route, space, data) for data in messages]

    def _route(self, space: Netns, data: bytes) -> None:
        message = decode(data)
        if message.type not in _HANDLERS:
            raise NotModelled(f"a request of type {message.type}")
        _HANDLERS[message.type](self.world, space, message)

    def route_dump(self, namespace: str, message: bytes) -> list[bytes]:
        space = self._space(namespace)
        self.faults.count_read("dump")
        request = decode(message)
        if not request.has(NLM_F_DUMP):
            raise NotModelled("a request for one object")
        try:
            return dumps.answer(self.world, space, request)
        except Refused as refused:
            raise TransportError(refused.code, f"dump of type {request.type}: {refused.text}") from None

    def route_await_gone(self, namespace: str, link: str, timeout_s: float) -> bool:
        """Nothing lingers in the fake: what is there stays."""
        self.faults.count_read("await")
        return self._space(namespace).named(link) is None

    # --- WireGuard -----------------------------------------------------------------------------------

    def wireguard_request(self, namespace: str, payloads: Sequence[bytes]) -> list[Ack]:
        space = self._space(namespace)
        self._need_kernel_wireguard()
        change = wireguard_genl.set_device
        return [self._acknowledged("wireguard", change, self.world, space, data) for data in payloads]

    def wireguard_dump(self, namespace: str, payload: bytes) -> list[bytes]:
        space = self._space(namespace)
        self._need_kernel_wireguard()
        self.faults.count_read("wireguard")
        try:
            return wireguard_genl.get_device(self.world, space, payload)
        except Refused as refused:
            raise TransportError(refused.code, "get of a WireGuard device") from None

    def _need_kernel_wireguard(self) -> None:
        if self.wireguard != "kernel":
            raise TransportError(errno.ENOENT, "this kernel has no WireGuard")

    def wireguard_uapi(self, device: str, request: str) -> str:
        daemon = self.world.daemons.get(device)
        if daemon is None:
            raise TransportError(errno.ENOENT, f"no userspace WireGuard of {device}")
        before = self.world.wireguards[daemon.device]
        after, answer = wireguard_uapi.ask(before, request)
        if request.startswith("get"):
            self.faults.count_read("uapi")
            return answer
        code = self.faults.begin_change("uapi")
        if code:
            return f"errno=-{code}\n\n"
        self.world.wireguards[daemon.device] = after
        self.faults.end_change("uapi")
        return answer

    # --- nftables ------------------------------------------------------------------------------------

    def nft(self, namespace: str, document: str) -> str:
        """A document that only lists is not counted as a change."""
        space = self._space(namespace)
        transaction = Transaction(space.nft, space.nft_handle)
        refused = None
        try:
            printed = transaction.run(document)
        except Refused as error:
            refused = error
        if refused is None and not transaction.changed:
            self.faults.count_read("nft")
            return printed
        with self._change("nft", f"nft in {namespace or 'the host'}"):
            if refused is not None:
                raise refused
            space.nft = transaction.tables
            space.nft_handle = transaction.last_table_handle
            space.nft_generation += 1
        return printed

    def nft_generation(self, namespace: str) -> int:
        self.faults.count_read("nft")
        return self._space(namespace).nft_generation

    # --- sysctl --------------------------------------------------------------------------------------

    def sysctl_read(self, namespace: str, paths: Sequence[str]) -> list[str | None]:
        space = self._space(namespace)
        self.faults.count_read("sysctl")
        return [sysctls.read(space, path) for path in paths]

    def sysctl_write(self, namespace: str, values: Sequence[tuple[str, str]]) -> list[Ack]:
        space = self._space(namespace)
        return [self._acknowledged("sysctl", sysctls.write, space, *one) for one in values]

    # --- namespaces ----------------------------------------------------------------------------------

    def namespaces(self) -> Mapping[str, tuple[int, int]]:
        self.faults.count_read("namespaces")
        return {name: (NSFS_DEVICE, self.world.spaces[at].inode) for name, at in self.world.names.items()}

    def namespace_add(self, name: str, birth: Sequence[bytes] = ()) -> None:
        """A refused message of `birth` refuses the whole, and no namespace is left."""
        with self._change("namespace", f"add namespace {name}"):
            if name in self.world.names:
                raise Refused(errno.EEXIST, "it exists")
            space = self.world.add_space()
            try:
                for data in birth:
                    self._route(space, data)
            except Refused:
                devices.end_space(self.world, space)
                raise
            self.world.names[name] = space.id

    def namespace_delete(self, name: str) -> None:
        space = self._space(name)
        with self._change("namespace", f"delete namespace {name}"):
            del self.world.names[name]
            devices.end_space(self.world, space)
            self.world.handles = {n: at for n, at in self.world.handles.items() if at != space.id}

    def namespace_handle(self, name: str) -> int:
        space = self._space(name)
        handle = FIRST_HANDLE + space.id
        self.world.handles[handle] = space.id
        return handle

    # --- userspace WireGuard ---------------------------------------------------------------------------

    def wireguard_kind(self) -> str:
        return self.wireguard

    def wireguard_start(self, namespace: str, device: str) -> None:
        space = self._space(namespace)
        with self._change("daemon", f"start {device}"):
            daemons.start(self.world, space, device)

    def wireguard_stop(self, device: str) -> None:
        with self._change("daemon", f"stop {device}"):
            daemons.stop(self.world, device)

    def wireguard_running(self) -> frozenset[str]:
        self.faults.count_read("daemons")
        return frozenset(self.world.daemons)

    def close(self) -> None:
        """Nothing is kept open."""


def _ack(change: Callable[..., None], *arguments: object) -> Ack:
    try:
        change(*arguments)
    except Refused as refused:
        return Ack(refused.code, refused.text)
    return Ack(0)
