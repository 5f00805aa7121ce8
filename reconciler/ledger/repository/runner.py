"""Runs git with nothing around it: no user's or system's configuration, no hooks, no replaced history.

What git reads from its surroundings can change what a repository seems to hold. So each process gets an
environment made here, in full, and inherits nothing but the way to an ssh agent.

See docs/spec/ledger.md, section 13.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import git

from reconciler.ledger.repository.objects import printable
from reconciler.ledger.trouble import DiskFull, LocalTrouble

LOCAL_TIMEOUT_S = 600.0
"""For commands that only read or write the local clone: far above any honest need."""

_KEPT = ("PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "SSH_AUTH_SOCK", "GIT_SSH", "GIT_SSH_COMMAND")
_NEUTRAL = {
    "LC_ALL": "C",
    "LANGUAGE": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_SYSTEM": "/dev/null",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_GRAFT_FILE": "/dev/null",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "/bin/false",
    "SSH_ASKPASS": "/bin/false",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_PAGER": "cat",
}
_NEUTRAL_CONFIG = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.attributesFile=/dev/null",
    "core.commitGraph=false",
    "core.quotePath=false",
    "core.bigFileThreshold=1m",  # What is longer than a document may be isn't read into memory.
    "gc.auto=0",
    "maintenance.auto=false",
    "submodule.recurse=false",
    "protocol.allow=never",
    "protocol.file.allow=always",
    "protocol.ssh.allow=always",
    "protocol.https.allow=always",
)
_SAID_OF_ANY_SSH = frozenset(
    {
        "fatal: Could not read from remote repository.",
        "Please make sure you have the correct access rights",
        "and the repository exists.",
    }
)
_DISK_FULL = ("No space left on device", "Disk quota exceeded")


class GitFailed(LocalTrouble):
    """A git command ended with an error that means nothing more particular to whoever ran it."""

    def __init__(self, command: Sequence[str], status: int, stderr: str) -> None:
        super().__init__(f"git {command[0]} failed ({status}): {last_line(stderr)}")
        self.status = status
        self.stderr = stderr


class GitTimeout(LocalTrouble):
    """A git command didn't end in time and was ended."""


class Runner:
    """Runs git commands on one repository."""

    def __init__(
        self,
        git_dir: Path,
        config: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.git_dir = git_dir
        self._git = git.Git()
        self._config = tuple(config)
        self._environment = dict(environment or {})
        self._prefix = self._command_prefix(self._config, self._environment)

    def _command_prefix(self, config: Sequence[str], environment: Mapping[str, str]) -> list[str]:
        # GitPython lets every variable of this process through; `env -i` doesn't.
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        settings = {**kept, **_NEUTRAL, **environment}
        options = [word for setting in (*_NEUTRAL_CONFIG, *config) for word in ("-c", setting)]
        variables = [f"{name}={value}" for name, value in settings.items()]
        return ["env", "-i", *variables, "git", f"--git-dir={self.git_dir}", *options]

    def with_config(self, config: Sequence[str]) -> Runner:
        """The same, with these settings (`name=value`) in addition."""
        return Runner(self.git_dir, (*self._config, *config), self._environment)

    def start(self, *arguments: str, memory_bytes: int | None = None) -> subprocess.Popen[bytes]:
        """A git process with pipes to its input, output and errors, in a session of its own; with at most
        `memory_bytes` of data, beside the files that it maps."""
        process = self._git.execute(
            [*self._prefix, *arguments], as_process=True, istream=subprocess.PIPE, start_new_session=True
        )
        popen: subprocess.Popen[bytes] | None = process.proc
        if popen is None:
            raise LocalTrouble(f"git {arguments[0]} could not be started")
        process.proc = None  # From here on it is ours to end, not the wrapper's.
        if memory_bytes is not None:
            resource.prlimit(popen.pid, resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
        return popen

    def run(self, *arguments: str, data: bytes = b"", timeout_s: float = LOCAL_TIMEOUT_S) -> bytes:
        """The command's output. Raises `GitFailed`, `GitTimeout` or `DiskFull`."""
        process = self.start(*arguments)
        try:
            out, err = process.communicate(data, timeout=timeout_s)
        except subprocess.TimeoutExpired:
            raise GitTimeout(f"git {arguments[0]} took longer than {timeout_s:g} s") from None
        finally:
            end(process)
        if process.returncode != 0:
            raise failure(arguments, process.returncode, err)
        return out

    def text(self, *arguments: str, data: bytes = b"") -> str:
        """The command's output as text, without its last newline."""
        return self.run(*arguments, data=data).decode("utf-8", "surrogateescape").removesuffix("\n")


def end(process: subprocess.Popen[bytes]) -> None:
    """Ends the process and what it started (its session), and closes its pipes."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with suppress(BrokenPipeError):  # What couldn't be sent any more is tried again when closing.
                pipe.close()


def failure(arguments: Sequence[str], status: int, stderr: bytes) -> LocalTrouble:
    """What a failed git command means, as far as it can be told without knowing the command."""
    said = stderr.decode("utf-8", "replace").strip()
    if any(sign in said for sign in _DISK_FULL):
        return DiskFull(
            f"no space left while git was writing: {last_line(said)}", "free some space; nothing was changed"
        )
    return GitFailed(arguments, status, said)


def last_line(said: str) -> str:
    """What git said last, which is what it died of, in one line fit for a terminal: a remote may have put
    anything there. Its advice about access rights, which follows every failure of ssh, says nothing."""
    lines = [line for line in said.split("\n") if line.strip()]
    telling = [line for line in lines if line not in _SAID_OF_ANY_SSH] or lines[:1]
    return printable(telling[-1].strip().encode("utf-8", "surrogateescape")) if telling else "no message"
