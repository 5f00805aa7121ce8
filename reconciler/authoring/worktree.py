"""A Git work tree as the place where a person edits documents."""

from __future__ import annotations

import tempfile
from collections.abc import Collection
from pathlib import Path

from git import GitCommandError, InvalidGitRepositoryError, NoSuchPathError, Repo

from reconciler.authoring.errors import WorkTreeError

_IN_PROGRESS = {
    "MERGE_HEAD": "a merge",
    "CHERRY_PICK_HEAD": "a cherry-pick",
    "REVERT_HEAD": "a revert",
    "rebase-merge": "a rebase",
    "rebase-apply": "a rebase",
}


class WorkTree:
    """One repository with a work tree. Every failure of git comes out as WorkTreeError."""

    def __init__(self, repo: Repo) -> None:
        self.repo = repo
        self.root = Path(str(repo.working_tree_dir))
        self.git_dir = Path(repo.git_dir)

    @classmethod
    def open(cls, directory: Path) -> WorkTree:
        """The repository that `directory` is in; raises WorkTreeError."""
        try:
            repo = Repo(directory, search_parent_directories=True)
        except (InvalidGitRepositoryError, NoSuchPathError):
            raise WorkTreeError(
                f"{directory}: this is not a Git repository",
                "go into your clone of the ledger, or name it with --repo DIR; `tnet init` starts a new one",
            ) from None
        if repo.bare:
            raise WorkTreeError(
                f"{directory}: this repository has no work tree", f"clone it first: git clone {directory}"
            )
        return cls(repo)

    def git(self, *arguments: str, env: dict[str, str] | None = None, stdin: bytes | None = None) -> str:
        """Run git here and return its output without the last newline; raises WorkTreeError."""
        return run_git(self.repo, arguments, env, stdin)

    @property
    def branch(self) -> str:
        """The branch that HEAD is on, as a full reference name."""
        try:
            return self.git("symbolic-ref", "-q", "HEAD")
        except WorkTreeError:
            raise WorkTreeError(
                f"{self.root}: no branch is checked out (detached HEAD)", "check one out: git switch main"
            ) from None

    @property
    def head(self) -> str | None:
        """The commit that is checked out; None in a repository without one."""
        try:
            return self.git("rev-parse", "-q", "--verify", "HEAD^{commit}")
        except WorkTreeError:
            return None

    def config(self, name: str) -> str | None:
        """One value of git's configuration, all its levels taken together."""
        values = self.config_all(name)
        return values[-1] if values else None

    def config_all(self, name: str) -> tuple[str, ...]:
        """Every value of a setting that may occur more than once."""
        try:
            return tuple(self.git("config", "-z", "--get-all", name).split("\0")[:-1])
        except WorkTreeError:  # `git config` exits 1 for a setting that isn't there
            return ()

    def resolve(self, revision: str) -> str:
        """The id of the commit that `revision` names; raises WorkTreeError."""
        try:
            return self.git("rev-parse", "-q", "--verify", "--end-of-options", revision + "^{commit}")
        except WorkTreeError:
            raise WorkTreeError(
                f"{revision}: there is no such commit in {self.root}", "`tnet log` lists them"
            ) from None

    def show(self, commit: str, path: str) -> bytes | None:
        """What `path` holds in `commit`; None if there is no such file."""
        entry = self.git("ls-tree", "-z", commit, "--", f":(top,literal){path}")
        if not entry or " blob " not in entry:
            return None
        return self.blob(entry.split("\t")[0].split()[2])

    def blob(self, object_id: str) -> bytes:
        """A blob's bytes, exactly."""
        stream = self.repo.git.cat_file(
            "blob", object_id, stdout_as_string=False, strip_newline_in_stdout=False
        )
        assert isinstance(stream, bytes)
        return stream

    def read(self, path: str) -> bytes | None:
        """What the file holds now; None if there is none. Raises WorkTreeError on a symbolic link."""
        file = self.locate(path)
        return file.read_bytes() if file.is_file() else None

    def locate(self, path: str) -> Path:
        """Where `path` lies on disk. No part of it may be a symbolic link: it could lead out of here."""
        target = self.root
        for part in Path(path).parts:
            target = target / part
            if part in ("..", ".git") or target.is_symlink():
                raise WorkTreeError(
                    f"{path}: {target.relative_to(self.root)} is a symbolic link or leads elsewhere",
                    "documents are plain files; remove the link and commit",
                )
        return target

    def relative(self, file: Path) -> str:
        """A file's path in the repository; raises WorkTreeError if it lies outside."""
        try:
            return str((file.absolute().parent.resolve() / file.name).relative_to(self.root.resolve()))
        except ValueError:
            raise WorkTreeError(f"{file}: is not in {self.root}", "name files of your clone") from None

    def require_ready(self, paths: Collection[str]) -> None:
        """Raise WorkTreeError unless a commit can be made now and `paths` hold what HEAD says."""
        for name, what in _IN_PROGRESS.items():
            if (self.git_dir / name).exists():
                raise WorkTreeError(f"{self.root}: {what} is under way", "finish or abort it: git status")
        dirty = self.dirty(paths)
        if dirty:
            raise WorkTreeError(
                f"{dirty[0]}: has changes that aren't committed",
                f"look at them: git diff HEAD -- {dirty[0]}\nput them aside: git stash push -u -- {dirty[0]}",
            )

    def dirty(self, paths: Collection[str]) -> list[str]:
        """Which of `paths` differ between HEAD, index and work tree."""
        specs = [f":(top,literal){path}" for path in paths]
        flags = ("--porcelain", "-z", "--untracked-files=all", "--no-renames")
        listing = self.git("status", *flags, "--", *specs)
        return [entry[3:] for entry in listing.split("\0") if entry]


def run_git(repo: Repo, arguments: tuple[str, ...], env: dict[str, str] | None, stdin: bytes | None) -> str:
    """One git command by GitPython; its stderr becomes the WorkTreeError's message."""
    try:
        if stdin is None:
            return str(repo.git.execute(["git", *arguments], env=env))
        with tempfile.TemporaryFile() as file:
            file.write(stdin)
            file.seek(0)
            return str(repo.git.execute(["git", *arguments], env=env, istream=file))
    except GitCommandError as error:
        raise WorkTreeError(f"git {arguments[0]} failed: {_words(error)}") from None


def _words(error: GitCommandError) -> str:
    """GitPython wraps git's stderr as `\\n  stderr: '…'`."""
    return str(error.stderr).strip().removeprefix("stderr: ").strip("'").strip()
