"""A machine of the lab as a process: start it, run commands in it, end it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.lab.errors import CommandFailed, LabError
from reconciler.lab.process import ProcessId
from reconciler.lab.record import Record

_NEEDS = "the lab needs root, network, mount and process namespaces, and overlay file systems"
_CHECKOUT = Path(__file__).parents[2]


def program(name: str, *arguments: str) -> list[str]:
    """The command that runs a program of `inside/`: standard library alone, so it starts quickly."""
    start = (
        f"import sys; sys.path.insert(0, {str(_CHECKOUT)!r})\n"
        f"from reconciler.lab.inside.{name} import main\n"
        "sys.exit(main())"
    )
    return [sys.executable, "-E", "-s", "-S", "-P", "-c", start, *arguments]


@dataclass(frozen=True, slots=True)
class Machine:
    """A running machine. `process` is its process 1, by which all its namespaces are found."""

    name: str
    process: ProcessId

    def path(self, absolute: str) -> Path:
        """A file of the machine, as seen from outside it."""
        return Path(f"/proc/{self.process.pid}/root") / absolute.lstrip("/")

    def enter(self, command: Sequence[str], namespace: str = "") -> list[str]:
        """`command` as it has to be started to run in the machine, in one of its named network namespaces
        if `namespace` is not empty."""
        pid = self.process.pid
        network = f"--net={self.path('/run/netns')}/{namespace}" if namespace else "--net"
        return [
            "nsenter", f"--target={pid}", "--mount", "--pid", "--uts", "--ipc", network, "--", *command
        ]  # fmt: skip

    def popen(
        self,
        command: Sequence[str],
        namespace: str = "",
        stdin: int = subprocess.DEVNULL,
        stdout: int = subprocess.PIPE,
        stderr: int = subprocess.PIPE,
    ) -> subprocess.Popen[str]:
        """Start a command in the machine; in a session of its own, so that Ctrl-C reaches only us."""
        return subprocess.Popen(
            self.enter(command, namespace),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env=environment(),
            text=True,
            start_new_session=True,
        )

    def run(
        self, command: Sequence[str], namespace: str = "", stdin: str = "", timeout_s: float = 60.0
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, whatever that is. Raises CommandFailed if it takes too long."""
        with self.popen(command, namespace, stdin=subprocess.PIPE) as process:
            try:
                out, err = process.communicate(stdin, timeout=timeout_s)
            except subprocess.TimeoutExpired:
                process.kill()
                raise CommandFailed(f"{self.name}: no end after {timeout_s} s: {' '.join(command)}") from None
        return subprocess.CompletedProcess(command, process.returncode, out, err)

    def attend(self, command: Sequence[str], namespace: str = "") -> int:
        """Run a command with our own terminal; returns its exit code."""
        return subprocess.run(self.enter(command, namespace), env=environment(), check=False).returncode

    def output(self, command: Sequence[str], namespace: str = "", stdin: str = "") -> str:
        """What a command prints. Raises CommandFailed if it does not end well."""
        done = self.run(command, namespace, stdin)
        if done.returncode != 0:
            words = " ".join((done.stderr or done.stdout).split())[-600:]
            raise CommandFailed(f"{self.name}: {' '.join(command)}: {words or f'exit {done.returncode}'}")
        return done.stdout


def environment() -> Mapping[str, str]:
    """Ours, with the `tnet` that runs this lab first in the path."""
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}"}


@dataclass(frozen=True, slots=True)
class _Starting:
    name: str
    starter: subprocess.Popen[str]


def start_machines(record: Record, names: Sequence[str]) -> dict[str, Machine]:
    """Start all of them at once. Raises LabError if one can't be started; those that run are written down."""
    starting = [_launch(record, name) for name in names]
    return {each.name: _await_ready(record, each) for each in starting}


def _launch(record: Record, name: str) -> _Starting:
    record.prepare_machine(name)
    command = program("init", str(record.directory), name)
    starter = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/", start_new_session=True
    )
    return _Starting(name, starter)


def _await_ready(record: Record, starting: _Starting) -> Machine:
    """Hear the pid, write it down, and only then let the machine live on (see inside/init.py)."""
    with starting.starter as starter:
        assert starter.stdin is not None and starter.stdout is not None
        words = sorted((starter.stdout.readline(), starter.stdout.readline()))
        if not words[0].startswith("pid ") or words[1] != "ready\n":
            said = " ".join("".join(words).split())
            raise LabError(f"machine {starting.name} does not start: {said}", _NEEDS)
        machine = Machine(starting.name, ProcessId.of(int(words[0].split()[1])))
        record.remember(machine.name, machine.process)
        starter.stdin.write("go\n")
    return machine
