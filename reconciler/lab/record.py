"""The lab's own directory, and what is written down there so that anybody can take the lab down later."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from reconciler.lab.errors import LabError
from reconciler.lab.process import ProcessId
from reconciler.whole_file import write_whole

HOME = Path("/run/tnet-lab")
DEFAULT_NAME = "lab"
_NAME = re.compile(r"^[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?$")


@dataclass(frozen=True, slots=True)
class Record:
    """One lab's directory. Labs of different names have nothing in common."""

    directory: Path

    @staticmethod
    def named(name: str, home: Path = HOME) -> Record:
        """Raises LabError for a name that isn't a DNS label of at most 32 characters."""
        if not _NAME.match(name):
            raise LabError(f"{name!r} is no name for a lab", "use lower-case letters, digits and hyphens")
        return Record(home / name)

    @property
    def name(self) -> str:
        return self.directory.name

    @property
    def exists(self) -> bool:
        return self.directory.is_dir()

    @property
    def remote(self) -> Path:
        """The bare repository that every node follows."""
        return self.directory / "ledger.git"

    @property
    def worktree(self) -> Path:
        """A clone in which the lab's people write their documents."""
        return self.directory / "worktree"

    @property
    def people(self) -> Path:
        """One directory a person, with the person's SSH key."""
        return self.directory / "people"

    def machine(self, name: str) -> Path:
        return self.directory / "machines" / name

    def log(self, machine: str) -> Path:
        return self.machine(machine) / "agent.log"

    def create(self) -> None:
        """Take the name. Raises LabError if a lab has it already."""
        self.directory.parent.mkdir(parents=True, exist_ok=True)
        try:
            self.directory.mkdir(mode=0o700)
        except FileExistsError:
            raise LabError(
                f"there is a lab {self.name} already ({self.directory})",
                f"take it down first: tnet lab down --name {self.name}",
            ) from None

    def prepare_machine(self, name: str) -> None:
        for part in ("etc", "state"):
            (self.machine(name) / part).mkdir(parents=True)

    def remember(self, machine: str, process: ProcessId) -> None:
        """Write down a machine's process 1, whole or not at all."""
        write_whole(self.machine(machine) / "process.json", msgspec.json.encode(process))

    def processes(self) -> Mapping[str, ProcessId]:
        """Process 1 of every machine that was written down, running or not."""
        found = {}
        for path in sorted(self.directory.glob("machines/*/process.json")):
            found[path.parent.name] = msgspec.json.decode(path.read_bytes(), type=ProcessId)
        return found

    def remove(self) -> None:
        """Forget the lab; only when all its machines have ended."""
        shutil.rmtree(self.directory)
        with suppress(OSError):  # other labs are there
            self.directory.parent.rmdir()


def none_of_that_name(record: Record) -> LabError:
    """What to raise when somebody asks for a lab that isn't up."""
    names = ", ".join(other.name for other in all_records(record.directory.parent))
    advice = f"there are: {names} (choose one with --name)" if names else "make one: tnet lab up"
    return LabError(f"there is no lab {record.name}", advice)


def all_records(home: Path = HOME) -> tuple[Record, ...]:
    if not home.is_dir():
        return ()
    return tuple(Record(path) for path in sorted(home.iterdir()) if path.is_dir())
