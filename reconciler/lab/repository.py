"""The lab's ledger: a bare repository that the nodes follow, and the clone in which its people work."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.authoring.commit import commit_signed
from reconciler.lab.errors import CommandFailed
from reconciler.lab.machine import environment
from reconciler.lab.people import Person

BRANCH = "main"


@dataclass(frozen=True, slots=True)
class Repository:
    """`remote` is bare, `worktree` is where everybody edits; a person's name is the commit's author."""

    remote: Path
    worktree: Path

    def create(self) -> None:
        self._plain_git("init", "-q", "--bare", f"--initial-branch={BRANCH}", str(self.remote))
        self._plain_git("init", "-q", f"--initial-branch={BRANCH}", str(self.worktree))
        self.git("remote", "add", "origin", str(self.remote))
        self.git("config", "push.default", "current")

    def trust(self, allowed_signers: str) -> None:
        """Let git verify signatures in the work tree (`git log --show-signature`)."""
        file = self.worktree / ".git" / "allowed_signers"
        file.write_text(allowed_signers, encoding="ascii")
        self.git("config", "gpg.ssh.allowedSignersFile", str(file))

    @property
    def url(self) -> str:
        return f"file://{self.remote}"

    @property
    def head(self) -> str:
        return self.git("rev-parse", "HEAD")

    def write(self, path: str, content: bytes) -> None:
        file = self.worktree / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)

    def delete(self, path: str) -> None:
        (self.worktree / path).unlink()

    def go_to(self, commit: str) -> None:
        """Set branch, index and files back (or forth) to this commit."""
        self.git("reset", "-q", "--hard", commit)

    def commit(self, paths: Collection[str], message: str, person: Person) -> str:
        """Commit these files, signed by the person; returns the commit's id. Nothing is judged."""
        self._write_as(person)
        return commit_signed(self.worktree, paths, message, person.key)

    def commit_unsigned(self, message: str, author: Person) -> str:
        """Commit all that was changed, in somebody's name but without a signature."""
        self._write_as(author)
        self.git("-c", "commit.gpgSign=false", "commit", "-q", "-a", "-m", message)
        return self.head

    def revert(self, commit: str, person: Person | None) -> str:
        """`git revert`, signed by the person (unsigned if there is none); returns the new commit's id."""
        if person is None:
            self.git("revert", "--no-edit", "--no-gpg-sign", commit)
        else:
            self._write_as(person)
            self.git(*signing(person), "revert", "--no-edit", "-S", commit)
        return self.head

    def push(self) -> str:
        """Publish HEAD; the nodes' agents see the bare repository change. Returns the new tip."""
        self.git("push", "-q", "origin", f"HEAD:{BRANCH}")
        return self.head

    def push_forced(self, commit: str) -> None:
        """Rewrite what is published: the branch is now at `commit`, whatever it was."""
        self.git("push", "-q", "--force", "origin", f"{commit}:{BRANCH}")

    def tnet(self, person: Person, *arguments: str) -> str:
        """Run a verb of `tnet` in the work tree, as that person; returns what it prints."""
        self._write_as(person)
        command = ["tnet", *arguments]
        return _output(command, self.worktree, {"TNET_SIGNING_KEY": str(person.key)})

    def git(self, *arguments: str) -> str:
        return self._plain_git("-C", str(self.worktree), *arguments)

    def _write_as(self, person: Person) -> None:
        self.git("config", "user.name", person.name)
        self.git("config", "user.email", f"{person.name}@example.org")

    @staticmethod
    def _plain_git(*arguments: str) -> str:
        return _output(["git", *arguments], Path("/"), {})


def signing(person: Person) -> Sequence[str]:
    """Git's settings for commits signed with this person's SSH key."""
    return ("-c", "gpg.format=ssh", "-c", f"user.signingKey={person.key}")


def neutral_environment() -> Mapping[str, str]:
    """Ours, without the settings of whoever runs the lab, and with the `tnet` that runs it first."""
    own = {key: value for key, value in environment().items() if not key.startswith("GIT_")}
    return {**own, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}


def _output(command: Sequence[str], directory: Path, extra: Mapping[str, str]) -> str:
    done = subprocess.run(
        command,
        cwd=directory,
        env={**neutral_environment(), **extra},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise CommandFailed(f"{' '.join(command)}: {done.stderr.strip() or f'exit {done.returncode}'}")
    return done.stdout.strip()
