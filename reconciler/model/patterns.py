"""Patterns of paths, by which a rule names the documents that it is for.

A pattern is the path of a document in which `*` may stand for a name, and for a name with its `.yaml`:

    tenants/ac/acme/networks/*       every network of acme
    farms/*/farm.yaml                every farm
    trust/suspensions/acme.yaml      this document alone

It matches a path of as many segments if each of its own is `*` or the same. The directory between `tenants/`
and a tenant's own follows from the tenant's name: `tenants/*/acme/tenant.yaml` is one path and not several.

A *scope* is the widest pattern that somebody may use, `farms/paris/nodes/*` for one: all others that are
covered by it have the same words and differ in the names alone.
"""

from __future__ import annotations

from itertools import product

from reconciler.model.paths import place_of, shard

ANY = "*"


def matches(pattern: str, path: str) -> bool:
    """Whether the pattern is for this path."""
    wanted, found = pattern.split("/"), path.split("/")
    return len(wanted) == len(found) and all(
        mine in (ANY, theirs) for mine, theirs in zip(wanted, found, strict=True)
    )


def covers(wider: str, narrower: str) -> bool:
    """Whether `wider` matches every document's path that `narrower` does. Both must name something."""
    return matches(_with_shard(wider), _with_shard(narrower))


def names_something(pattern: str) -> bool:
    """Whether a document can lie at some path that the pattern matches."""
    segments = _with_shard(pattern).split("/")
    if segments[0] == "tenants" and len(segments) > 2 and segments[2] == ANY:
        segments[2] = ("xx" if segments[1] == ANY else segments[1]) + "x"
        segments[1] = shard(segments[2]) if segments[1] == ANY else segments[1]
    if segments[-1] == ANY:
        segments[-1] = "xx.yaml"
    return place_of("/".join("xx" if segment == ANY else segment for segment in segments)) is not None


def covering(pattern: str, scope: str) -> frozenset[str]:
    """Every pattern within the scope that covers this pattern or path, which is within it as well.

    There are at most four, so looking them up is cheaper than comparing with each pattern of a long list.
    """
    segments, words = _with_shard(pattern).split("/"), scope.split("/")
    choices = [(mine, ANY) if word == ANY else (mine,) for mine, word in zip(segments, words, strict=True)]
    return frozenset("/".join(chosen) for chosen in product(*choices))


def _with_shard(pattern: str) -> str:
    """The pattern with the directory that follows from the tenant's name, if it says one."""
    segments = pattern.split("/")
    if segments[0] == "tenants" and len(segments) > 2 and segments[1] == ANY != segments[2]:
        segments[1] = shard(segments[2])
    return "/".join(segments)
