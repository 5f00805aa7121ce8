"""Verifies signatures and reads documents ahead of the judge, in processes of their own.

Both follow from bytes alone, so it makes no difference where it is done and whether it is: what doesn't come
back from here is found out by whoever asks. Python runs on one processor at a time, and these two are half of
the work of judging. But starting the processes takes as long as judging a thousand transactions, so it is
done for long histories only.
"""

from __future__ import annotations

import os
import pickle
import queue
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from reconciler.ledger.judging import content
from reconciler.ledger.judging.rejected import Rejected
from reconciler.ledger.judging.signing import key_that_signed
from reconciler.ledger.repository.runner import end
from reconciler.ledger.signatures import keys
from reconciler.ledger.signatures.keys import PublicKey
from reconciler.ledger.trouble import UnknownProtocol
from reconciler.ledger.verdict import Reason
from reconciler.model.documents import Document

LONG = 3_000
"""Transactions, or documents, from which it pays."""
MAX_PROCESSES = 8
PART = 500
"""Documents of one task."""
_LENGTH_BYTES = 8

Refusal = tuple[str, str, str]
"""A `Rejected` in transit: code, detail, hint."""


@dataclass(frozen=True, slots=True)
class Task:
    """Raw commits whose signers are wanted, and documents (path, content) to be read."""

    commits: Sequence[bytes] = ()
    documents: Sequence[tuple[str, bytes]] = ()


@dataclass(frozen=True, slots=True)
class Findings:
    """In the order of the task: the wire bytes of the signing keys, and the documents. None is one that can't
    be used, for which the judge will find the reason."""

    signers: Sequence[bytes | Refusal] = ()
    documents: Sequence[Document | None] = ()


def find(task: Task) -> Findings:
    """What there is to know of these."""
    return Findings([_signer(raw) for raw in task.commits], [_read(*each) for each in task.documents])


def _signer(raw: bytes) -> bytes | Refusal:
    try:
        return key_that_signed(raw).blob
    except Rejected as rejected:
        return rejected.reason.value, rejected.detail, rejected.hint


def _read(path: str, data: bytes) -> Document | None:
    try:
        return content.read(path, data)
    except (Rejected, UnknownProtocol):
        return None


def signer(found: bytes | Refusal) -> PublicKey:
    """What `key_that_signed` said in the other process. Raises `Rejected`."""
    if isinstance(found, bytes):
        return keys.from_wire(found)
    code, detail, hint = found
    raise Rejected(Reason(code), detail, hint)


# --- the processes -----------------------------------------------------------------------------------


Ask = Callable[[Task], "Future[Findings]"]


@contextmanager
def processes(amount: int) -> Iterator[Ask | None]:
    """Who can be asked while this lasts; None if for so much work nobody should be."""
    count = min(MAX_PROCESSES, len(os.sched_getaffinity(0)))
    if amount < LONG or count < 2:
        yield None
        return
    helpers = queue.SimpleQueue[_Helper]()
    started = [_Helper() for _ in range(count)]
    for helper in started:
        helpers.put(helper)
    with ThreadPoolExecutor(count) as threads:
        try:
            yield lambda task: threads.submit(_asked, helpers, task)
        finally:
            threads.shutdown(wait=False, cancel_futures=True)
            for helper in started:
                helper.close()


def _own_places() -> list[str]:
    """Where this process finds its modules, but for the directory in which a person happens to stand.

    It may be the ledger's work tree, in which anybody may have put a `pickle.py`. (So `-P`, too.)"""
    absolute = [place for place in sys.path if Path(place).is_absolute()]
    return [place for place in absolute if not _is_here(place) or _is_ours(place)]


def _is_here(place: str) -> bool:
    try:
        return Path(place).samefile(os.curdir)
    except OSError:  # One of them doesn't exist.
        return False


def _is_ours(place: str) -> bool:
    return Path(__file__).is_relative_to(Path(place, "reconciler").resolve())


class _Helper:
    """One process, which has one task at a time."""

    def __init__(self) -> None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(_own_places())}
        command = (sys.executable, "-P", "-m", "reconciler.ledger.chain.ahead_process")
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
        )

    def ask(self, task: Task) -> Findings:
        """What it found; nothing if it is gone, or goes in the middle of its answer."""
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            send(self._process.stdin, task)
            findings = receive(self._process.stdout)
        except (OSError, ValueError, EOFError, pickle.UnpicklingError):
            return Findings()
        return findings if isinstance(findings, Findings) else Findings()

    def close(self) -> None:
        end(self._process)


def _asked(helpers: queue.SimpleQueue[_Helper], task: Task) -> Findings:
    helper = helpers.get()
    try:
        return helper.ask(task)
    finally:
        helpers.put(helper)


def send(file: IO[bytes], value: object) -> None:
    data = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    file.write(len(data).to_bytes(_LENGTH_BYTES, "big") + data)
    file.flush()


def receive(file: IO[bytes]) -> Any:
    """None at the end."""
    length = file.read(_LENGTH_BYTES)
    size = int.from_bytes(length, "big")
    data = file.read(size)
    return pickle.loads(data) if len(length) == _LENGTH_BYTES and 0 < len(data) == size else None


def remember(task: Task, findings: Findings) -> None:
    """Lets `content.read` know these documents."""
    for (path, data), document in zip(task.documents, findings.documents, strict=False):
        if document is not None:
            content.remember(path, data, document)


def known_early(documents: Sequence[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    """The same documents (path, content), each known to `content.read` when it comes if they are many."""
    with processes(len(documents)) as ask:
        if ask is None:
            yield from documents
            return
        parts = [Task(documents=documents[at : at + PART]) for at in range(0, len(documents), PART)]
        for task, findings in [(task, ask(task)) for task in parts]:
            remember(task, findings.result())
            yield from task.documents
