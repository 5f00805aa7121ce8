"""Documents: any bytes at any path are refused by name, or are a document that survives being written.

The first line is the path, the rest is the file.
"""

from __future__ import annotations

import json

from reconciler.ledger import governed
from reconciler.ledger.judging import content
from reconciler.ledger.judging.rejected import Rejected
from reconciler.ledger.trouble import UnknownProtocol
from reconciler.model import loader
from reconciler.model.documents import Document, to_builtins
from reconciler.model.loader import DocumentError


def check(data: bytes) -> None:
    """Raises AssertionError, or whatever shouldn't come out, where the reader is wrong."""
    path, _, text = data.partition(b"\n")
    if governed.place(path) is None:
        governed.is_governed(path)
        return
    assert governed.is_governed(path), "a document's place is governed"
    document = _checked(path.decode("ascii"), text)
    if document is not None:
        again = json.dumps(to_builtins(document)).encode()
        assert content.read(path.decode("ascii"), again) == document


def _checked(path: str, text: bytes) -> Document | None:
    """As a judge reads it: the loader's word, then the keys and proofs."""
    try:
        loader.load(path, text)
    except DocumentError as wrong:
        lines = text.count(b"\n") + 2
        assert wrong.problems
        assert all(1 <= problem.line <= lines and problem.column >= 1 for problem in wrong.problems)
    try:
        return content.read(path, text)
    except Rejected as rejected:
        assert not rejected.reason.accepted
    except UnknownProtocol:
        assert path == "trust/policy.yaml"
    return None
