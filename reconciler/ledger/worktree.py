"""What a work tree holds that HEAD doesn't, under the governed paths, as git would commit it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from reconciler.ledger.governed import is_governed
from reconciler.ledger.judging.proposal import File
from reconciler.ledger.repository.runner import Runner


def changed_files(runner: Runner, root: Path) -> dict[bytes, File | None]:
    """Every governed file that is new or differs from HEAD, None where it is gone; ignored ones left out."""
    listed = runner.run(f"--work-tree={root}", "diff", "--name-only", "-z", "--no-renames", "HEAD")
    listed += runner.run(
        f"--work-tree={root}", "ls-files", "-z", "--others", "--exclude-standard", "--", str(root)
    )
    paths = (path for path in listed.split(b"\0")[:-1] if is_governed(path))
    return {path: _file(Path(os.fsdecode(os.fsencode(root) + b"/" + path))) for path in paths}


def _file(path: Path) -> File | None:
    try:
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            return File(os.fsencode(path.readlink()), "120000")
        if stat.S_ISDIR(status.st_mode):
            return File(b"", "160000")
        return File(path.read_bytes(), "100755" if status.st_mode & stat.S_IXUSR else "100644")
    except (FileNotFoundError, NotADirectoryError):
        return None
