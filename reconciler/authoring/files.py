"""New contents that lie ready beside their places, to be put there by renames alone."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from reconciler.authoring.errors import WorkTreeError
from reconciler.authoring.worktree import WorkTree

_MODE = 0o644


class ReadyFiles:
    """Writes each content to a temporary file in its directory; `put` renames them all into place.

    Left without `put`, temporary files and the directories made for them are gone again.
    Raises WorkTreeError when the disk is full or a place can't be written.
    """

    def __init__(self, tree: WorkTree, changes: Mapping[str, bytes | None]) -> None:
        self._targets = {tree.locate(path): content for path, content in changes.items()}
        self._root = tree.root
        self._ready: dict[Path, Path] = {}
        self._made: list[Path] = []

    def __enter__(self) -> ReadyFiles:
        try:
            for target, content in self._targets.items():
                if content is not None:
                    self._make_directory(target.parent)
                    self._ready[target] = self._write(target, content)
        except OSError as error:
            self._clean_up()
            raise WorkTreeError(f"{error.filename}: {error.strerror}; nothing was changed") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._clean_up()

    def put(self) -> None:
        """Give every file its new content; a deleted file's directories go too once they are empty."""
        for target, content in self._targets.items():
            if content is None:
                target.unlink(missing_ok=True)
                self._remove_empty(target.parent)
            else:
                self._ready.pop(target).replace(target)
        self._made.clear()

    def _make_directory(self, directory: Path) -> None:
        missing = [p for p in (directory, *directory.parents) if not p.exists()]
        for path in reversed(missing):
            path.mkdir()
            self._made.append(path)

    def _write(self, target: Path, content: bytes) -> Path:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            os.fchmod(handle, _MODE)
        return Path(name)

    def _remove_empty(self, directory: Path) -> None:
        with contextlib.suppress(OSError):  # not empty, or gone already: both are fine
            while directory != self._root:
                directory.rmdir()
                directory = directory.parent

    def _clean_up(self) -> None:
        for ready in self._ready.values():
            ready.unlink(missing_ok=True)
        for directory in reversed(self._made):
            with contextlib.suppress(OSError):
                directory.rmdir()
        self._ready.clear()
        self._made.clear()
