"""What a server's repository has in its git configuration for the hook.

tnet.anchor, tnet.rootKey      where the ledger begins (reconciler/ledger/anchor.py)
tnet.branch                    the ledger's branch (main)
tnet.checkpoints               the checkpoints' branch (tnet-checkpoints)
tnet.signedOnly                whether branches may only bring signed changes of governed paths (false)
tnet.deadlineSeconds           how long a push may take to judge (120)
tnet.before                    what install found at a setting that it changed, `name=value` or `name`
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import TnetError
from reconciler.forge.door import Rules
from reconciler.ledger.anchor import Anchor, read_anchor, write_anchor
from reconciler.ledger.repository.runner import GitFailed, Runner

BEFORE = "tnet.before"
DEFAULT_DEADLINE_S = 120.0


class BadSetting(TnetError):
    """The repository's configuration can't be used."""


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """All of it; branches by their short names."""

    anchor: Anchor
    branch: str = "main"
    checkpoints: str = "tnet-checkpoints"
    signed_only: bool = False
    deadline_s: float = DEFAULT_DEADLINE_S

    @property
    def rules(self) -> Rules:
        return Rules(
            self.anchor, f"refs/heads/{self.branch}", f"refs/heads/{self.checkpoints}", self.signed_only
        )


def read_config(git_dir: Path) -> ServerConfig:
    """Raises `AnchorUnknown` or `BadSetting`."""
    settings = Settings(git_dir)
    return ServerConfig(
        read_anchor(git_dir),
        settings.get("tnet.branch") or "main",
        settings.get("tnet.checkpoints") or "tnet-checkpoints",
        settings.get("tnet.signedOnly", kind="bool") == "true",
        float(settings.get("tnet.deadlineSeconds", kind="int") or DEFAULT_DEADLINE_S),
    )


def write_config(git_dir: Path, config: ServerConfig, receive: Mapping[str, str]) -> None:
    """Puts it there, and these settings of git's own, whose former values are remembered."""
    settings = Settings(git_dir)
    write_anchor(git_dir, config.anchor)
    settings.set("tnet.branch", config.branch)
    settings.set("tnet.checkpoints", config.checkpoints)
    settings.set("tnet.signedOnly", "true" if config.signed_only else "false")
    settings.set("tnet.deadlineSeconds", f"{config.deadline_s:.0f}")
    for name, value in receive.items():
        settings.change(name, value)


def restore_config(git_dir: Path) -> tuple[str, ...]:
    """Gives git's own settings back what they had; returns their names. The anchor stays pinned."""
    settings = Settings(git_dir)
    restored = []
    for entry in settings.all(BEFORE):
        name, given, value = entry.partition("=")
        if given:
            settings.set(name, value)
        else:
            settings.unset(name)
        restored.append(name)
    for name in (BEFORE, "tnet.branch", "tnet.checkpoints", "tnet.signedOnly", "tnet.deadlineSeconds"):
        settings.unset(name)
    return tuple(restored)


class Settings:
    """A repository's own configuration, and no other."""

    def __init__(self, git_dir: Path) -> None:
        self._runner = Runner(git_dir)

    def get(self, name: str, kind: str = "") -> str | None:
        """The last value. Raises `BadSetting` if it isn't of this kind (`bool`, `int`)."""
        values = self._read("--get", *((f"--type={kind}",) if kind else ()), name)
        return values[-1] if values else None

    def all(self, name: str) -> list[str]:
        return self._read("--get-all", name)

    def _read(self, *arguments: str) -> list[str]:
        try:
            return self._runner.text("config", "--local", *arguments).splitlines()
        except GitFailed as failed:
            if failed.status == 1:
                return []
            raise BadSetting(
                f"{self._runner.git_dir}/config: {failed}", f"git config --local {arguments[-1]} VALUE"
            ) from None

    def set(self, name: str, value: str) -> None:
        self._runner.run("config", "--local", "--replace-all", name, value)

    def unset(self, name: str) -> None:
        if self.all(name):
            self._runner.run("config", "--local", "--unset-all", name)

    def change(self, name: str, value: str) -> None:
        """Sets one of git's own settings and remembers what it had before the first time."""
        before = self.all(name)
        if before == [value]:
            return
        if all(entry.partition("=")[0] != name for entry in self.all(BEFORE)):
            entry = f"{name}={before[-1]}" if before else name
            self._runner.run("config", "--local", "--add", BEFORE, entry)
        self.set(name, value)
