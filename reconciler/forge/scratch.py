"""A place beside a repository where objects can be made that nobody shall keep.

Git writes new objects into a directory that is removed afterwards, and reads the repository's beside them:
the repository itself, its refs and its objects stay as they are.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from reconciler.ledger.repository.runner import Runner
from reconciler.ledger.repository.store import Store


@contextmanager
def scratch_store(git_dir: Path) -> Iterator[Store]:
    """Reads the repository; what is written goes with the end of the block, and so do its processes."""
    directory = Path(tempfile.mkdtemp(prefix="tnet-scratch-"))
    objects = Path(Runner(git_dir).text("rev-parse", "--git-path", "objects"))
    store = Store(Runner(git_dir, environment=apart(directory, objects)))
    try:
        yield store
    finally:
        store.close()
        shutil.rmtree(directory, ignore_errors=True)


def apart(written: Path, *read: Path) -> Mapping[str, str]:
    """The environment in which git writes objects to one directory and reads them from the others, too."""
    alternates = ":".join(_quoted(str(directory.absolute())) for directory in read)
    return {"GIT_OBJECT_DIRECTORY": str(written), "GIT_ALTERNATE_OBJECT_DIRECTORIES": alternates}


def _quoted(path: str) -> str:
    """As git(1) has it of GIT_ALTERNATE_OBJECT_DIRECTORIES: a path with a colon in it stands in quotes."""
    if ":" not in path and not path.startswith('"'):
        return path
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
