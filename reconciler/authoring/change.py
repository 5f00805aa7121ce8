"""What an edit comes to, before anything is written: documents, and the words for the commit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.authoring.errors import AuthoringError
from reconciler.model.documents import Document
from reconciler.model.model import Model


@dataclass(frozen=True, slots=True)
class Change:
    """`documents`: path -> what it shall say; None removes it. `notes` tell the author what was chosen."""

    subject: str
    documents: Mapping[str, Document | None]
    notes: tuple[str, ...] = ()


def require_new(model: Model, path: str, what: str) -> None:
    """Raise AuthoringError if there is a document at `path` already."""
    if path in model.documents:
        raise AuthoringError(f"there is a {what} already: {path}", "choose another name, or edit that file")
