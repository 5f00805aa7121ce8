"""A server's repository with the hook in it, and people who push to it.

Commits are made in a workshop (`World.forge`), where they can have any shape, and go from there by git's own
push.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.cli.main import main
from reconciler.ledger.ledger import Ledger
from reconciler.ledger.repository.objects import CommitId
from tests.integration.forge.servers import Served
from tests.integration.ledger.world import World

CHECKOUT = Path(__file__).parents[3]
PUSH_S = 120.0
NAME = "ledger.git"


@dataclass(frozen=True)
class Pushed:
    """How a push ended, and what the pusher was told."""

    code: int
    told: str

    @property
    def ok(self) -> bool:
        return self.code == 0


@dataclass
class Place:
    """`server` is the served repository; `remote` is how to get there, by path if None."""

    world: World
    server: Path
    program: Path
    remote: Served | None = None
    ledgers: list[Ledger] = field(default_factory=list)

    @property
    def url(self) -> str:
        return str(self.server) if self.remote is None else f"{self.remote.url}/{NAME}"

    def install(self, *options: str) -> None:
        anchor = self.world.anchor
        keys = [word for key in anchor.root_fingerprints for word in ("--root-key", key)]
        words = ["server-hook", "install", str(self.server), "--anchor", anchor.commit, *keys]
        assert main([*words, "--program", str(self.program), *options]) == 0

    def push_command(self, *refspecs: str) -> list[str]:
        return ["git", f"--git-dir={self.world.forge.path}", "push", "--porcelain", self.url, *refspecs]

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "SSH_"))}
        ours = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "LC_ALL": "C"}
        return {**kept, **ours, **(self.remote.environment if self.remote else {})}

    def push(self, *refspecs: str) -> Pushed:
        """`git push` as a person types it."""
        done = subprocess.run(
            self.push_command(*refspecs),
            env=self.environment,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PUSH_S,
            stdin=subprocess.DEVNULL,
        )
        return Pushed(done.returncode, done.stdout + done.stderr)

    def push_main(self, commit: CommitId) -> Pushed:
        return self.push(f"{commit}:refs/heads/main")

    def git(self, *words: str) -> str:
        """A git command in the server's repository."""
        command = ["git", f"--git-dir={self.server}", *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    @property
    def main(self) -> str:
        """Where the server's ledger is; "" before the first push."""
        return self.git("for-each-ref", "--format=%(objectname)", "refs/heads/main")

    def agent(self, name: str) -> Ledger:
        """A node that follows the server."""
        served = self.remote
        ledger = self.world.new_ledger(
            name,
            remote=self.url,
            ssh_command=served.ssh_command if served else None,
            https_ca_file=served.https_ca_file if served else None,
        )
        self.ledgers.append(ledger)
        return ledger

    def require_sound(self) -> None:
        """Every object that a ref needs is there, and nothing half done is left."""
        self.git("fsck", "--connectivity-only", "--no-dangling")
        assert not list((self.server / "objects").glob("incoming-*")), "a quarantine was left behind"
        assert not list((self.server / "refs").rglob("*.lock")), "a ref is still locked"


def write_program(path: Path) -> Path:
    """`tnet` as the hook calls it: this checkout's, by the Python that runs the tests."""
    path.write_text(
        f'#!/bin/sh\nPYTHONPATH="{CHECKOUT}" exec "{sys.executable}" -m reconciler.cli.main "$@"\n'
    )
    path.chmod(0o755)
    return path


def make_place(directory: Path, world: World) -> Place:
    """A served repository that holds what the world's ledger has begun with, and has the hook."""
    server = directory / "srv" / NAME
    server.parent.mkdir()
    subprocess.run(["git", "init", "-q", "--bare", "--initial-branch=main", str(server)], check=True)
    subprocess.run(["git", f"--git-dir={server}", "config", "http.receivepack", "true"], check=True)
    place = Place(world, server, write_program(directory / "tnet"))
    place.install()
    assert place.push_main(world.forge.tip).ok
    return place
