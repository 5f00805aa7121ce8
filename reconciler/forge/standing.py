"""How a server's ledger and its hook stand: what `tnet server-hook status` tells, and install looks at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from reconciler.forge.hook_file import HookPlace, find_place
from reconciler.forge.judging import judged
from reconciler.forge.server_config import ServerConfig, Settings
from reconciler.ledger.repository.objects import CommitId
from reconciler.ledger.repository.runner import Runner
from reconciler.ledger.repository.store import Store

RECEIVE = {"receive.fsckObjects": "true", "receive.shallowUpdate": "false"}
"""Git's own settings that the hook leans on: refused are objects that would freeze every node's fetch, and
history that is cut off."""
LIMITS = {"receive.maxInputSize": "256m"}
"""Set where nothing is set: more than a push to a ledger has any reason to bring."""


@dataclass(frozen=True, slots=True)
class LedgerStanding:
    """The ledger's branch on the server; `tip` is None before the first push."""

    tip: CommitId | None
    transactions: int = 0
    rejected: int = 0
    state_hash: str = ""


@dataclass(frozen=True, slots=True)
class HookStanding:
    """`missing` are the settings of git's that aren't as they should be."""

    place: HookPlace
    missing: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return self.place.is_called and not self.missing


def ledger_standing(git_dir: Path, config: ServerConfig) -> LedgerStanding:
    """Judges what is there. Raises `LocalTrouble`s, `AnchorRefused` if it is another ledger."""
    store = Store(Runner(git_dir))
    try:
        store.check_fit()
        tip = store.resolve(config.rules.ledger)
        if tip is None:
            return LedgerStanding(None)
        course = judged(store, git_dir, config.anchor, tip)
    finally:
        store.close()
    rejected = sum(not verdict.accepted for verdict in course.verdicts)
    return LedgerStanding(tip, course.books.position, rejected, course.books.hash)


def hook_standing(git_dir: Path) -> HookStanding:
    """Raises `HookInTheWay`."""
    settings = Settings(git_dir)
    missing = [
        f"{name} {value}" for name, value in RECEIVE.items() if settings.get(name, kind="bool") != value
    ]
    missing += [f"{name} {value}" for name, value in LIMITS.items() if settings.get(name) is None]
    return HookStanding(find_place(git_dir), tuple(missing))


def wanted_settings(git_dir: Path) -> dict[str, str]:
    """Which of git's own settings install writes."""
    settings = Settings(git_dir)
    limits = {name: value for name, value in LIMITS.items() if settings.get(name) is None}
    return {**RECEIVE, **limits}
