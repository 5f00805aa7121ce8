"""The pre-receive hook as a file: put beside, before or in place of what is there, and taken away again.

A repository has one pre-receive hook. Another one that is there is kept under `pre-receive.before-tnet` and
called after ours has agreed. Forges that call every program in `pre-receive.d` (Forgejo, Gitea, Gitolite)
get ours there, and their own hook stays.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import git

from reconciler.errors import TnetError
from reconciler.whole_file import write_whole

_SIGN = "# Written by `tnet server-hook install`."
_KEPT = "pre-receive.before-tnet"


class HookInTheWay(TnetError):
    """The hook can't be put where git would call it."""


@dataclass(frozen=True, slots=True)
class HookPlace:
    """Where the hook goes; `kept` is where another one is, if it has to make way."""

    path: Path
    kept: Path | None

    @property
    def is_ours(self) -> bool:
        """Whether the hook that is there now is ours."""
        try:
            return _SIGN in self.path.read_text("utf-8", "replace")
        except FileNotFoundError:
            return False

    @property
    def is_called(self) -> bool:
        return self.is_ours and os.access(self.path, os.X_OK)


def find_place(git_dir: Path) -> HookPlace:
    """Raises `HookInTheWay` where git takes its hooks from outside of the repository."""
    directory = _hooks(git_dir)
    if not directory.is_relative_to(git_dir.resolve()):
        raise HookInTheWay(
            f"git takes the hooks of {git_dir} from {directory} (core.hooksPath), outside of the repository",
            "call `tnet server-hook run` from the pre-receive hook there, or give this repository its own: "
            f"git -C {git_dir} config core.hooksPath hooks",
        )
    many = directory / "pre-receive.d"
    if many.is_dir():
        return HookPlace(many / "tnet", None)
    return HookPlace(directory / "pre-receive", directory / _KEPT)


def _hooks(git_dir: Path) -> Path:
    """Where git takes this repository's hooks from, by all levels of its configuration."""
    command = ["git", f"--git-dir={git_dir.absolute()}", "rev-parse", "--git-path", "hooks"]
    try:
        return Path(git_dir, str(git.Git(git_dir).execute(command))).resolve()
    except git.GitCommandError as failed:
        said = str(failed.stderr).strip()
        raise HookInTheWay(
            f"git doesn't say where the hooks of {git_dir} are: {said}",
            "run this as the user who owns the repository",
        ) from None


def install(place: HookPlace, program: Path) -> None:
    """Puts the hook there; there is no moment without a hook. Raises `HookInTheWay`."""
    place.path.parent.mkdir(parents=True, exist_ok=True)
    if place.kept is not None and not place.is_ours and os.path.lexists(place.path):
        _keep(place.path, place.kept)
    write_whole(place.path, _script(program, place.kept).encode("utf-8"), mode=0o755, durable=True)


def _keep(path: Path, kept: Path) -> None:
    if os.path.lexists(kept):
        raise HookInTheWay(
            f"{path} is another's hook, and so is {kept}, which was kept before",
            "make one of both, remove the other, and install again",
        )
    os.link(path, kept, follow_symlinks=False)


def uninstall(place: HookPlace) -> bool:
    """Takes ours away and puts the kept one back. False if ours isn't there."""
    if not place.is_ours:
        return False
    if place.kept is not None and os.path.lexists(place.kept):
        place.kept.replace(place.path)
    else:
        place.path.unlink()
    return True


def find_program() -> Path:
    """The `tnet` that the hook will call. Raises `HookInTheWay`."""
    beside = Path(sys.executable).with_name("tnet")
    found = str(beside) if beside.exists() else shutil.which("tnet")
    if found is None:
        raise HookInTheWay(
            "there is no program `tnet` that the hook could call", "install tnet: deploy/setup.sh"
        )
    return Path(found).absolute()


def _script(program: Path, kept: Path | None) -> str:
    """A POSIX shell script. git tells the updates once, on its input, and the kept hook wants them, too."""
    ours = f"{shlex.quote(str(program))} server-hook run"
    head = (
        "#!/bin/sh\n"
        f"{_SIGN} `tnet server-hook uninstall` takes it away.\n"
        "# Refuses what nodes would reject. Whatever goes wrong here, the push is refused.\n"
    )
    if kept is None:
        return f"{head}exec {ours}\n"
    return (
        f"{head}"
        "updates=$(cat && echo .) || exit 1\n"
        "updates=${updates%.}\n"
        f'printf %s "$updates" | {ours} || exit 1\n'
        f'kept=$(dirname "$0")/{kept.name}\n'
        '[ -x "$kept" ] || exit 0\n'
        'printf %s "$updates" | "$kept"\n'
    )
