"""Public keys as arguments: `NAME=FILE.pub`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from reconciler.authoring.signing_key import parse_public_key
from reconciler.cli.names import LABEL
from reconciler.model.documents import Principal


class PrincipalKeyType(click.ParamType[tuple[str, str]]):
    """A principal's name and its public key, from a file or as it stands."""

    name = "NAME=FILE.pub"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        name, equals, source = value.partition("=")
        if not equals:
            self.fail(f"{value!r} is not {self.name}", param, ctx)
        return LABEL.convert(name, param, ctx), self._key(source, param, ctx)

    def _key(self, source: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if " " in source:
            return parse_public_key(source, "the key")
        path = Path(source).expanduser()
        try:
            return parse_public_key(path.read_text(encoding="utf-8", errors="replace"), source)
        except OSError as error:
            self.fail(f"{source}: {error.strerror}", param, ctx)


PRINCIPAL_KEY = PrincipalKeyType()


def principals(named: Iterable[tuple[str, str]]) -> tuple[Principal, ...]:
    """Keys under one name are one principal's."""
    keys: dict[str, list[str]] = {}
    for name, key in named:
        keys.setdefault(name, []).append(key)
    return tuple(Principal(name=name, keys=tuple(held)) for name, held in keys.items())
