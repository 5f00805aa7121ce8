"""A git process that is asked many things over its pipes, for as long as somebody has questions."""

from __future__ import annotations

from typing import IO

from reconciler.ledger.runner import Runner, end, last_line
from reconciler.ledger.trouble import Damaged, LocalTrouble

PIPE_BYTES = 32768
"""Questions sent ahead of reading the answers: less than a pipe holds (64 KiB), so writing never blocks."""


class OutOfMemory(LocalTrouble):
    """The process was not given the memory that an answer takes."""


class Conversation:
    """Started at the first question; every broken answer means a damaged repository."""

    def __init__(self, runner: Runner, *command: str, memory_bytes: int | None = None) -> None:
        self._process = runner.start(*command, memory_bytes=memory_bytes)
        assert self._process.stdin is not None and self._process.stdout is not None
        self._questions: IO[bytes] = self._process.stdin
        self.answers: IO[bytes] = self._process.stdout

    def ask(self, question: bytes) -> None:
        try:
            self._questions.write(question)
            self._questions.flush()
        except BrokenPipeError:
            self.fail()

    def line(self) -> bytes:
        """The next line of the answer, with its end."""
        line = self.answers.readline()
        if not line.endswith(b"\n"):
            self.fail()
        return line

    def exactly(self, count: int) -> bytes:
        data = self.answers.read(count)
        if len(data) != count:
            self.fail()
        return data

    def fail(self) -> None:
        """Ends the process and raises `Damaged` with what it said."""
        assert self._process.stderr is not None
        self._questions.close()
        self._process.wait()
        said = self._process.stderr.read().decode("utf-8", "replace")
        self.close()
        if "out of memory" in said.lower():
            raise OutOfMemory("git needed more memory than it may have")
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
