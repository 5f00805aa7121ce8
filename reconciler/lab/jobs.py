"""Running the same kind of thing in many machines at once."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from reconciler.lab.errors import CommandFailed
from reconciler.lab.machine import Machine


@dataclass(frozen=True, slots=True)
class Job:
    """One command in one machine (in one of its namespaces), and what it reads."""

    machine: Machine
    command: Sequence[str]
    namespace: str = ""
    stdin: str = ""


@dataclass(slots=True)
class Done:
    """How a job ended. Longer than `timeout_s` counts as exit code None."""

    job: Job
    code: int | None
    out: str = ""
    err: str = ""

    def output(self) -> str:
        """What it printed; raises CommandFailed if it did not end well."""
        if self.code != 0:
            words = " ".join((self.err or self.out).split())[-600:] or f"exit {self.code}"
            raise CommandFailed(f"{self.job.machine.name}: {self.job.command[0]} …: {words}")
        return self.out


@dataclass
class _Running:
    job: Job
    process: subprocess.Popen[str] = field(init=False)

    def __post_init__(self) -> None:
        self.process = self.job.machine.popen(
            self.job.command, self.job.namespace, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self.process.stdin is not None
        self.process.stdin.write(self.job.stdin)
        self.process.stdin.close()
        self.process.stdin = None

    def finish(self, timeout_s: float) -> Done:
        try:
            out, err = self.process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            return Done(self.job, None, err=f"no end after {timeout_s} s")
        return Done(self.job, self.process.returncode, out, err)


def run_all(jobs: Iterable[Job], timeout_s: float = 60.0) -> list[Done]:
    """Start every job, then wait for each; in the order given. Nothing is raised for one that fails."""
    running = [_Running(job) for job in jobs]
    return [each.finish(timeout_s) for each in running]


def outputs(jobs: Iterable[Job], timeout_s: float = 60.0) -> list[str]:
    """What all of them print. Raises CommandFailed for the first that does not end well."""
    return [done.output() for done in run_all(jobs, timeout_s)]
