"""A git process that is asked many things over its pipes, for as long as somebody has questions."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import IO, NoReturn

from reconciler.ledger.repository.runner import Runner, end, last_line
from reconciler.ledger.trouble import Damaged

PIPE_BYTES = 32768
"""Questions sent ahead of reading the answers: less than a pipe holds (64 KiB), so writing never blocks."""


class TooLong(Exception):
    """An answer is longer than anybody wants to read."""


class Conversation:
    """Started at the first question; every broken answer means a damaged repository."""

    def __init__(self, runner: Runner, *command: str, memory_bytes: int | None = None) -> None:
        self._process = runner.start(*command, memory_bytes=memory_bytes)
        assert self._process.stdin is not None and self._process.stdout is not None
        self._questions: IO[bytes] = self._process.stdin
        self._answers: IO[bytes] = self._process.stdout
        self._ahead = bytearray()

    def ask(self, question: bytes) -> None:
        try:
            self._questions.write(question)
            self._questions.flush()
        except BrokenPipeError:
            self.fail()

    def line(self) -> bytes:
        """The next line of the answer, with its end."""
        line = self._answers.readline()
        if not line.endswith(b"\n"):
            self.fail()
        return line

    def exactly(self, count: int) -> bytes:
        data = self._answers.read(count)
        if len(data) != count:
            self.fail()
        return data

    def until(self, mark: bytes, at_most: int) -> bytes:
        """All up to the mark, which is taken off. One conversation is read by this alone, or never.

        Raises `TooLong` when so many bytes have come without the mark.
        """
        begun = 0
        while (end := self._ahead.find(mark, begun)) < 0:
            if len(self._ahead) > at_most:
                raise TooLong
            begun = max(0, len(self._ahead) - len(mark) + 1)
            part = os.read(self._answers.fileno(), PIPE_BYTES)
            if not part:
                self.fail()
            self._ahead += part
        answer = bytes(self._ahead[:end])
        del self._ahead[: end + len(mark)]
        return answer

    def fail(self) -> NoReturn:
        """Ends the process and raises `Damaged` with what it said."""
        assert self._process.stderr is not None
        with suppress(BrokenPipeError):  # What couldn't be sent any more is tried again when closing.
            self._questions.close()
        self._process.wait()
        said = self._process.stderr.read().decode("utf-8", "replace")
        self.close()
        raise Damaged(f"git could not read the repository: {last_line(said)}")

    def close(self) -> None:
        end(self._process)


def batches(questions: list[bytes]) -> list[list[bytes]]:
    """The questions in groups that fit into a pipe at once."""
    groups: list[list[bytes]] = [[]]
    size = 0
    for question in questions:
        if size + len(question) > PIPE_BYTES and groups[-1]:
            groups.append([])
            size = 0
        groups[-1].append(question)
        size += len(question)
    return groups if groups[-1] else []
