"""A desk at which people type `tnet`: a clone of a ledger, their keys, and what the commands print."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.main import main

PEOPLE = ("alice", "bob", "chloe", "dave", "erin")
"""root, farmer of paris, farmer of lyon, tenant acme, tenant globex"""

WEB = "tenants/ac/acme/networks/web.yaml"


@dataclass(frozen=True)
class Said:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Desk:
    """Runs commands in the clone at `root`. Each of PEOPLE has a key file of that name in `keys`."""

    def __init__(
        self, root: Path, keys: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.root, self.keys = root, keys
        self._capsys, self._monkeypatch = capsys, monkeypatch

    def tnet(self, *words: str, by: str | None = None, code: int = 0) -> Said:
        """Run `tnet WORDS`, signed by a person's key; the exit code must be `code`."""
        if by:
            words = (*words, "--key", str(self.keys / by))
        self._capsys.readouterr()
        ended = main(list(words))
        said = Said(ended, *self._capsys.readouterr())
        assert ended == code, f"tnet {' '.join(words)}\n{said.out}\n{said.err}"
        return said

    def git(self, *words: str) -> str:
        return git(self.root, *words)

    def read(self, path: str) -> str:
        return (self.root / path).read_text()

    def write(self, path: str, text: str) -> None:
        (self.root / path).write_text(text)

    def snapshot(self) -> tuple[str, str, dict[str, bytes]]:
        """HEAD, what git status says, and every file: equal before and after means nothing was changed."""
        files = {
            str(file.relative_to(self.root)): file.read_bytes()
            for file in self.root.rglob("*")
            if file.is_file() and ".git" not in file.relative_to(self.root).parts
        }
        return self.git("rev-parse", "HEAD"), self.git("status", "--porcelain"), files

    def go(self, directory: Path) -> None:
        self.root = directory
        self._monkeypatch.chdir(directory)


def git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def make_key(file: Path, passphrase: str = "", kind: str = "ed25519") -> Path:
    subprocess.run(
        ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", file.name, "-f", str(file)],
        check=True,
        stdin=subprocess.DEVNULL,
    )
    return file


def hand_to_agent(key: Path) -> None:
    """Give the agent the private key, and take the file away."""
    subprocess.run(["ssh-add", "-q", str(key)], check=True, capture_output=True)
    key.unlink()


def clean_environment(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """No configuration, key or agent of whoever runs the tests."""
    for name in os.environ:
        if name.startswith(("GIT_", "SSH_", "TNET_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
