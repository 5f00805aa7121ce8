"""One netlink socket: requests in a pipeline, dumps, and who answered what.

The kernel carries out the messages of one send in order, within the system call, and goes on after one
that it refuses. It answers what it refuses, and what asks for an acknowledgement. So only the last of a
send asks: when its answer is here, every message before it that has none went well.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import threading
from collections.abc import Iterator, Sequence

from reconciler.kernel.codec.wire import (
    HEADER,
    NLM_F_ACK,
    NLM_F_DUMP_INTR,
    NLMSG_DONE,
    NLMSG_ERROR,
    as_text,
    attributes,
    split,
)
from reconciler.kernel.linux.descriptors import moved_up
from reconciler.kernel.transport import Ack, TransportError

SOL_NETLINK = 270
NETLINK_CAP_ACK, NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK = 10, 11, 12
SO_SNDBUFFORCE, SO_RCVBUFFORCE = 32, 33

NLM_F_CAPPED, NLM_F_ACK_TLVS = 0x100, 0x200
NLMSGERR_ATTR_MSG = 1

_MESSAGES_A_SEND = 300
_BYTES_A_SEND = 1 << 20
_BUFFER = 4 << 20
_RECEIVE = 1 << 16
"""The kernel never makes a dump's part larger than 32 KiB (net/netlink/af_netlink.c, netlink_dump)."""
_PATIENCE_S = 30
_TRIES_OF_A_DUMP = 10

_FLAGS = struct.Struct("=H")
_SEQUENCE = struct.Struct("=I")
_ERROR = struct.Struct("=i")
_DONE_WELL = Ack(0)


class NetlinkSocket:
    """Usable from several threads; each conversation has the socket to itself."""

    def __init__(self, protocol: int = socket.NETLINK_ROUTE) -> None:
        """Belongs for ever to the network namespace that the calling thread is in now."""
        made = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol)
        self._socket = socket.socket(fileno=moved_up(made.detach()))
        self._lock = threading.Lock()
        self._sequence = 0
        self._socket.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, _BUFFER)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, _BUFFER)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", _PATIENCE_S, 0))
        for option in (NETLINK_CAP_ACK, NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK):
            self._socket.setsockopt(SOL_NETLINK, option, 1)
        self._socket.bind((0, 0))

    def close(self) -> None:
        self._socket.close()

    def request(self, messages: Sequence[bytes]) -> list[Ack]:
        """Send all of them; one acknowledgement each, in order. Raises TransportError if the socket fails."""
        acks: list[Ack] = []
        with self._lock:
            for some in _sends(messages):
                acks += self._send_some(some)
        return acks

    def dump(self, message: bytes) -> list[bytes]:
        """The answers to one question, headers included, without the end mark. Raises TransportError for a
        refusal, and with EINTR for a dump that stays torn: it changed while it was read, each time."""
        with self._lock:
            for _ in range(_TRIES_OF_A_DUMP):
                answers, torn = self._dump_once(message)
                if not torn:
                    return answers
        raise TransportError(errno.EINTR, "a netlink dump was interrupted each time it was read")

    def _send_some(self, messages: Sequence[bytes]) -> list[Ack]:
        first = self._sequence + 1
        buffer = self._numbered(messages)
        last_header = len(buffer) - len(messages[-1])
        flags = _FLAGS.unpack_from(buffer, last_header + 6)[0]
        _FLAGS.pack_into(buffer, last_header + 6, flags | NLM_F_ACK)
        self._send(buffer)
        return self._collect(first, len(messages))

    def _numbered(self, messages: Sequence[bytes]) -> bytearray:
        buffer = bytearray().join(messages)
        offset = 0
        for item in messages:
            self._sequence = (self._sequence + 1) & 0xFFFFFFFF
            _SEQUENCE.pack_into(buffer, offset + 8, self._sequence)
            offset += len(item)
        return buffer

    def _collect(self, first: int, count: int) -> list[Ack]:
        acks = [_DONE_WELL] * count
        while True:
            for answer in split(self._receive()):
                _, kind, flags, sequence, _ = HEADER.unpack_from(answer)
                place = (sequence - first) & 0xFFFFFFFF
                if kind != NLMSG_ERROR or place >= count:
                    continue
                acks[place] = _ack(answer, flags)
                if place == count - 1:
                    return acks

    def _dump_once(self, message: bytes) -> tuple[list[bytes], bool]:
        self._send(self._numbered([message]))
        answers: list[bytes] = []
        torn = 0
        while True:
            for answer in split(self._receive()):
                _, kind, flags, sequence, _ = HEADER.unpack_from(answer)
                if sequence != self._sequence:
                    continue
                torn |= flags & NLM_F_DUMP_INTR
                if kind in (NLMSG_DONE, NLMSG_ERROR):
                    _raise_refusal(answer)
                    return answers, bool(torn)
                answers.append(answer)

    def _send(self, buffer: bytearray) -> None:
        try:
            self._socket.send(buffer)
        except OSError as error:
            raise _failure("send to", error) from error

    def _receive(self) -> bytes:
        try:
            return self._socket.recv(_RECEIVE)
        except OSError as error:
            raise _failure("receive from", error) from error


def _sends(messages: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    some: list[bytes] = []
    size = 0
    for item in messages:
        if some and (len(some) == _MESSAGES_A_SEND or size + len(item) > _BYTES_A_SEND):
            yield some
            some, size = [], 0
        some.append(item)
        size += len(item)
    if some:
        yield some


def _ack(answer: bytes, flags: int) -> Ack:
    code = -_ERROR.unpack_from(answer, 16)[0]
    return _DONE_WELL if code == 0 else Ack(code, _extended_text(answer, flags))


def _extended_text(answer: bytes, flags: int) -> str:
    """The kernel's own words, after struct nlmsgerr: the error, the refused header, and its body unless
    NETLINK_CAP_ACK keeps that away."""
    if not flags & NLM_F_ACK_TLVS:
        return ""
    offset = 36
    if not flags & NLM_F_CAPPED:
        offset += (_SEQUENCE.unpack_from(answer, 20)[0] - 16 + 3) & ~3
    return as_text(attributes(answer, offset).get(NLMSGERR_ATTR_MSG))


def _raise_refusal(answer: bytes) -> None:
    """An end mark too may carry an error, in place of what could not be dumped."""
    if len(answer) < 20:
        return
    code = -_ERROR.unpack_from(answer, 16)[0]
    if code > 0:
        raise TransportError(code, f"the kernel refused a netlink dump: {os.strerror(code)}")


def _failure(what: str, error: OSError) -> TransportError:
    code = error.errno or errno.EIO
    return TransportError(code, f"cannot {what} a netlink socket: {os.strerror(code)}")
