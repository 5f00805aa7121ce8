"""From bytes to a typed document, or to everything that is wrong with it and where.

Pure: the same path and bytes always give the same document or the same problems.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterable

import msgspec

from reconciler.model import shape, within, yaml
from reconciler.model.documents import Document
from reconciler.model.paths import Place, kind_for_path, misplaced, place_of
from reconciler.model.problems import DocumentError, Finding, Problem, shown

__all__ = ["DocumentError", "Problem", "kind_for_path", "load"]

_CACHE_ENTRIES = 8192
_cache: OrderedDict[tuple[str, bytes], Document] = OrderedDict()


def load(path: str, data: bytes) -> Document:
    """The document at a governed `path`. Raises DocumentError with all its problems, and ParserUnfit (local
    trouble, which says nothing of the document).

    Documents already seen are remembered by path and content.
    """
    key = (path, hashlib.blake2b(data, digest_size=32).digest())
    document = _cache.get(key)
    if document is None:
        document = _load(path, data)
        _remember(key, document)
    return document


def _remember(key: tuple[str, bytes], document: Document) -> None:
    _cache[key] = document
    if len(_cache) > _CACHE_ENTRIES:
        _cache.popitem(last=False)


def _load(path: str, data: bytes) -> Document:
    place = place_of(path)
    if place is None:
        advice = misplaced(path) or "Documents lie under trust/, farms/ and tenants/."
        raise DocumentError((Problem(path, 1, 1, "", "no-document", "no document belongs here", advice),))
    try:
        value = yaml.read(data)
    except yaml.YamlError as error:
        problem = Problem(path, *error.mark, "", error.code, str(error), error.advice)
        raise DocumentError((problem,)) from None
    return _typed(path, place, value, data)


def _typed(path: str, place: Place, value: yaml.Value, data: bytes) -> Document:
    try:
        document: Document = msgspec.convert(value, place.kind, strict=True)
    except msgspec.ValidationError as error:
        found = shape.explain(value, place.kind) or [Finding((), "bad-value", str(error))]
        raise _error(path, found, data) from None
    if isinstance(value, dict) and "kind" not in value:  # msgspec takes a missing tag for the right one
        raise _error(path, shape.explain(value, place.kind), data)
    if found := within.findings(document, place):
        raise _error(path, found, data)
    return document


def _error(path: str, found: Iterable[Finding], data: bytes) -> DocumentError:
    positions = yaml.locate(data)
    problems = [_problem(path, finding, positions) for finding in found]
    return DocumentError(tuple(sorted(problems, key=lambda problem: (problem.line, problem.column))))


def _problem(path: str, finding: Finding, positions: yaml.Positions) -> Problem:
    find = positions.of_key if finding.at_key else positions.of
    line, column = find(finding.pointer)
    return Problem(path, line, column, shown(finding.pointer), finding.code, finding.message, finding.advice)
