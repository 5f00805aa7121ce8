"""Whom a path is about, also one at which no document can lie: rejected transactions have such."""

from __future__ import annotations


def is_below(path: str, place: str) -> bool:
    """Whether the path is that file, or lies in that directory."""
    place = place.removeprefix("./").strip("/")
    return not place or path == place or path.startswith(place + "/")


def about_tenant(path: str) -> str:
    """The tenant whose document, grant or suspension it is; empty for none."""
    match path.split("/"):
        case ["tenants", _, tenant, *_]:
            return tenant
        case ["farms", _, "grants", name] | ["trust", "suspensions", name]:
            return name.removesuffix(".yaml")
    return ""


def about_farm(path: str) -> str:
    """The farm whose document it is; empty for none."""
    match path.split("/"):
        case ["farms", farm, *_]:
            return farm
    return ""
