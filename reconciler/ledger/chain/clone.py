"""The node's own bare clone: made, fetched into, and made anew when it is damaged.

The ledger's branch is fetched by its exact name into `refs/tnet/remote`, in the same go that of the
checkpoints into `refs/tnet/checkpoints`; no tags, no other refs. The clone has no remote in its
configuration, no hooks and no templates.

See docs/spec/ledger.md, section 13.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from reconciler.ledger.checkpoints.checkpoint_branch import CHECKPOINTS_REF
from reconciler.ledger.config import LedgerConfig
from reconciler.ledger.repository.objects import CommitId
from reconciler.ledger.repository.runner import GitFailed, GitTimeout, Runner, last_line
from reconciler.ledger.repository.store import Store
from reconciler.ledger.trouble import (
    CheckpointsMissing,
    CloneCorrupted,
    Damaged,
    DiskFull,
    LocalTrouble,
    ObjectsRefused,
    RemoteTimeout,
    RemoteUnreachable,
)
from reconciler.whole_file import write_whole

REMOTE_REF = "refs/tnet/remote"

POLLS_WITHOUT = 20
"""How often the ledger's branch is fetched alone after that of the checkpoints was missing or in the way."""

# What git's own checks (`git help fsck`, "FSCK MESSAGES") would refuse and we need not: contents and
# cosmetics, on which our parsers and rules give a verdict instead. Refusing them at the fetch would let one
# bad object keep every later transaction from every node. What stays fatal makes a commit or a tree
# ambiguous.
_JUDGED_BY_US = (
    "badDate",
    "badDateOverflow",
    "badEmail",
    "badName",
    "badTimezone",
    "gitattributesBlob",
    "gitattributesLarge",
    "gitattributesLineLength",
    "gitattributesMissing",
    "gitmodulesBlob",
    "gitmodulesLarge",
    "gitmodulesMissing",
    "gitmodulesName",
    "gitmodulesParse",
    "gitmodulesPath",
    "gitmodulesSymlink",
    "gitmodulesUpdate",
    "gitmodulesUrl",
    "hasDot",
    "hasDotdot",
    "hasDotgit",
    "missingEmail",
    "missingNameBeforeEmail",
    "missingSpaceBeforeDate",
    "missingSpaceBeforeEmail",
    "nulInCommit",
    "symlinkPointsToGitDir",
    "symlinkTargetBlob",
    "symlinkTargetLength",
    "symlinkTargetMissing",
    "zeroPaddedDate",
    "zeroPaddedFilemode",
)
_FETCH_CONFIG = (
    "fetch.fsckObjects=true",
    *(f"fetch.fsck.{name}=ignore" for name in _JUDGED_BY_US),
    "fetch.writeCommitGraph=false",
    "fetch.recurseSubmodules=false",
    "http.lowSpeedLimit=200",
    "http.lowSpeedTime=30",
)
_CONFIG = b"[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n"
_TIDY_CONFIG = (
    "gc.auto=6700",
    "gc.autoDetach=false",
    "gc.reflogExpire=never",
    "gc.pruneExpire=1.day.ago",  # The checkpoints' branch is replaced every few minutes.
)
_FETCH = (
    "fetch",
    "--quiet",
    "--no-tags",
    "--no-write-fetch-head",
    "--no-auto-gc",
    "--no-recurse-submodules",
    "--no-show-forced-updates",
)
_SSH = "ssh -o BatchMode=yes -o ConnectTimeout=15 -o ServerAliveInterval=15 -o ServerAliveCountMax=2"

_REFUSED = ("fsck error", "did not pass fsck")
_DAMAGE = (
    "is corrupt",
    "object corrupt or missing",
    "bad object refs/tnet",
    "does not point to a valid object",
    "unable to read tree",
    "unable to read sha1 file",
    "could not parse commit",
    "inflate: data stream error",
    "not a git repository: '",
    "bad index file",
    "non-monotonic index",
    "object file is empty",
    ".lock': File exists",
)
# What git says when objects are missing, on whichever side.
_EITHERS = (
    "did not send all necessary objects",
    "invalid object type",
    "unresolved deltas",
    "Could not read",
)


class Clone:
    """The repository at `directory/ledger.git`."""

    def __init__(self, config: LedgerConfig) -> None:
        self._config = config
        self._polls_without = 0  # So many more times the ledger's branch is fetched alone.
        self.path = config.directory / "ledger.git"
        self.store = Store(self._runner(self.path))
        self.checkpoints_trouble: LocalTrouble | None = None

    def close(self) -> None:
        self.store.close()

    def fetch(self) -> CommitId:
        """The branch's tip at the remote, with everything it needs. Raises `LocalTrouble`s."""
        self._ensure()
        self.store.check_fit(borrowing=False)
        self._fetch_into(self.store.runner)
        self.store.check_fit(borrowing=False)
        return self._tip(self.store)

    def fetched(self) -> CommitId | None:
        """What the last fetch brought; None if there was none."""
        if not self.exists:
            return None
        _restore_config(self.path)
        return self.store.resolve(REMOTE_REF)

    def checkpoints(self) -> CommitId | None:
        """What was last fetched of the checkpoints' branch; None if there was none."""
        return None if self._config.checkpoints is None else self.store.resolve(CHECKPOINTS_REF)

    def renew(self) -> None:
        """Fetches everything anew beside the damaged clone and takes its place. Raises `LocalTrouble`s."""
        fresh = self.path.with_name("ledger.git.new")
        shutil.rmtree(fresh, ignore_errors=True)
        self._make(fresh)
        try:
            self._fetch_into(self._runner(fresh))
        except LocalTrouble as trouble:
            shutil.rmtree(fresh, ignore_errors=True)
            raise CloneCorrupted(
                f"the clone {self.path} is damaged and can't be made anew: {trouble}", trouble.advice
            ) from trouble
        self._take_place(fresh)

    def tidy(self) -> None:
        """Packs the clone when many small objects have gathered. Raises `LocalTrouble`s."""
        self.store.runner.with_config(_TIDY_CONFIG).run("gc", "--auto", "--quiet")

    def _take_place(self, fresh: Path) -> None:
        self.store.close()
        old = self.path.with_name("ledger.git.damaged")
        shutil.rmtree(old, ignore_errors=True)
        if self.path.exists():
            self.path.rename(old)
        fresh.rename(self.path)
        shutil.rmtree(old, ignore_errors=True)

    def _ensure(self) -> None:
        if self.exists:
            _restore_config(self.path)
            return
        if self.path.exists():
            raise Damaged(f"{self.path} is not a repository")
        fresh = self.path.with_name("ledger.git.new")
        shutil.rmtree(fresh, ignore_errors=True)
        self._make(fresh)
        fresh.rename(self.path)

    @property
    def exists(self) -> bool:
        """Whether there is what git takes for a repository; what is in it shows when it is read."""
        parts = (self.path / "HEAD", self.path / "objects", self.path / "refs")
        return all(part.exists() for part in parts)

    def _make(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._runner(path).run("init", "--bare", "--quiet", "--template=", "--initial-branch=none")
        _restore_config(path)

    def _runner(self, path: Path) -> Runner:
        return Runner(path, self._git_config(), self._environment())

    def _git_config(self) -> tuple[str, ...]:
        ca_file = self._config.https_ca_file
        return () if ca_file is None else (f"http.sslCAInfo={ca_file}",)

    def _environment(self) -> dict[str, str]:
        ssh = self._config.ssh_command or os.environ.get("GIT_SSH_COMMAND", _SSH)
        return {"GIT_SSH_COMMAND": ssh, "GIT_CONFIG_GLOBAL": str(self._ownership_config())}

    def _ownership_config(self) -> Path:
        """The one setting that git takes from a global configuration alone: that the remote, if it is a local
        directory, may belong to somebody else. It is believed no more than any other remote."""
        path = self._config.directory / "git.config"
        remote = self._config.remote.removeprefix("file://")
        content = "[safe]\n" + "".join(f'\tdirectory = "{name}"\n' for name in (remote, f"{remote}/.git"))
        if not remote.startswith("/") or any(c in remote for c in '"\\\n'):
            content = ""
        data = content.encode("utf-8", "surrogateescape")
        if not path.exists() or path.read_bytes() != data:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return path

    def _fetch_into(self, runner: Runner) -> None:
        """Both branches at once. That of the checkpoints never keeps the ledger's from being fetched."""
        ledger = f"+refs/heads/{self._config.branch}:{REMOTE_REF}"
        self._polls_without = max(self._polls_without - 1, 0)
        if self._config.checkpoints is None or self._polls_without:
            return self._fetch_refs(runner, ledger)
        try:
            self._fetch_refs(runner, ledger, f"+refs/heads/{self._config.checkpoints}:{CHECKPOINTS_REF}")
        except (RemoteUnreachable, ObjectsRefused) as trouble:
            self._fetch_refs(runner, ledger)
            self._polls_without, self.checkpoints_trouble = POLLS_WITHOUT, trouble
        else:
            self.checkpoints_trouble = None
        return None

    def _fetch_refs(self, runner: Runner, *refspecs: str) -> None:
        config, timeout_s = self._config, self._config.fetch_timeout_s
        try:
            runner.with_config(_FETCH_CONFIG).run(
                *_FETCH, "--", config.remote, *refspecs, timeout_s=timeout_s
            )
        except GitTimeout:
            raise RemoteTimeout(
                f"the remote {shown(config.remote)} didn't deliver within {timeout_s:g} s"
            ) from None
        except GitFailed as failed:
            raise self._meaning(failed) from None
        except DiskFull:
            _remove_leftovers(runner.git_dir)
            raise

    def _meaning(self, failed: GitFailed) -> LocalTrouble:
        said, remote = failed.stderr, shown(self._config.remote)
        if any(sign in said for sign in _DAMAGE):
            return Damaged(f"the clone {self.path} is damaged: {last_line(said)}")
        if any(sign in said for sign in _EITHERS) and not self._is_whole():
            return Damaged(f"the clone {self.path} lacks objects: {last_line(said)}")
        if any(sign in said for sign in _REFUSED):
            return ObjectsRefused(
                f"{remote} holds an object that git refuses: {_refusal(said)}",
                "the branch has to be set back to before it came; a server that checks what is pushed "
                "(receive.fsckObjects) keeps such objects out",
            )
        if "couldn't find remote ref" in said:
            return self._no_branch(said.rpartition("refs/heads/")[2].strip())
        return RemoteUnreachable(
            f"{remote} can't be fetched: {last_line(said)}",
            "it is tried again; `remote` in the node's configuration says where",
        )

    def _no_branch(self, name: str) -> LocalTrouble:
        missing = f"{shown(self._config.remote)} has no branch {name}"
        if name == self._config.branch:
            return RemoteUnreachable(
                missing, "push to it, or correct `remote` or `branch` in the node's configuration"
            )
        return CheckpointsMissing(
            missing, "`tnet checkpoint` makes it; `checkpoints` in the node's configuration names it"
        )

    def _is_whole(self) -> bool:
        """Whether all objects are there that the clone's refs lead to. Takes seconds in a large one."""
        try:
            self.store.runner.run("fsck", "--connectivity-only", "--no-dangling", "--no-progress")
        except GitFailed:
            return False
        return True

    def _tip(self, store: Store) -> CommitId:
        tip = store.resolve(REMOTE_REF)
        if tip is None:
            raise Damaged(f"{self.path} lacks what was just fetched")
        return tip


def _restore_config(clone: Path) -> None:
    """Nobody has anything to set in there, and with one that can't be read nothing can be fetched."""
    path = clone / "config"
    if not path.is_file() or path.read_bytes() != _CONFIG:
        write_whole(path, _CONFIG, mode=0o644, durable=False)


def shown(remote: str) -> str:
    """The remote without a password that may stand in it."""
    scheme, separator, rest = remote.partition("://")
    if not separator or "@" not in rest.partition("/")[0]:
        return remote
    return f"{scheme}://{rest.partition('@')[2]}"


def _remove_leftovers(git_dir: Path) -> None:
    """What git leaves behind of a pack for which there was no space."""
    for leftover in (git_dir / "objects" / "pack").glob("tmp_*"):
        leftover.unlink(missing_ok=True)
    for directory in (git_dir / "objects").glob("tmp_objdir-*"):
        shutil.rmtree(directory, ignore_errors=True)


def _refusal(said: str) -> str:
    """The line in which git names the object and what is wrong with it."""
    lines = [line for line in said.splitlines() if "object" in line]
    return last_line(lines[0] if lines else said)
