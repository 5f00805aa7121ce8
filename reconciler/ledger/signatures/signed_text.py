"""A short text with SSH signatures under it: the form of checkpoints and of re-anchor records.

    lines of ASCII, each `name: value`, after one that says what it is
    (an empty line)
    -----BEGIN SSH SIGNATURE-----
    ...
    -----END SSH SIGNATURE-----
    (more of these)

Each text has one encoding: names in a given order, none left out, none twice. Signed is the text with its
last line feed and without the empty line, as `ssh-keygen -Y sign` does it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from reconciler.errors import TnetError
from reconciler.ledger.signatures import sshsig
from reconciler.ledger.signatures.keys import PublicKey

MAX_TEXT_BYTES = 4096
MAX_SIGNATURES = 64
MAX_BYTES = MAX_TEXT_BYTES + MAX_SIGNATURES * (sshsig.MAX_ARMOR_BYTES + 1)

_END = b"-----END SSH SIGNATURE-----\n"


class TextMalformed(TnetError):
    """Not in this form; it says where."""


@dataclass(frozen=True, slots=True)
class SignedText:
    """A text, and armored signatures of it that nobody has verified yet."""

    text: bytes
    signatures: tuple[bytes, ...] = ()

    @property
    def encoded(self) -> bytes:
        """As it stands in a file."""
        return b"\n".join((self.text, b"".join(self.signatures)))

    def signed_also(self, armored: bytes) -> SignedText:
        """With one more signature."""
        return replace(self, signatures=(*self.signatures, armored.rstrip(b"\n") + b"\n"))

    def keys(self, namespace: str) -> tuple[PublicKey, ...]:
        """Whose signatures these are. Raises a `sshsig.SignatureRefused` if one isn't of this text."""
        return tuple(sshsig.verify(each, self.text, namespace) for each in self.signatures)


def parse(data: bytes) -> SignedText:
    """The parts of such a file. Raises `TextMalformed`."""
    if len(data) > MAX_BYTES:
        raise TextMalformed(f"it is longer than {MAX_BYTES} bytes")
    text, separator, rest = data.partition(b"\n\n")
    if not separator or len(text) >= MAX_TEXT_BYTES:
        raise TextMalformed("it has no text of a few lines, ended by an empty one")
    signatures = tuple(part + _END for part in rest.split(_END)[:-1])
    if b"".join(signatures) != rest or len(signatures) > MAX_SIGNATURES:
        raise TextMalformed(f"what follows the text is not at most {MAX_SIGNATURES} whole signatures")
    return SignedText(text + b"\n", signatures)


def encode(title: str, fields: Mapping[str, str]) -> bytes:
    """The text with these fields, in their order."""
    return "".join((f"{title}\n", *(f"{name}: {value}\n" for name, value in fields.items()))).encode("ascii")


def decode(text: bytes, title: str, forms: Mapping[str, re.Pattern[str]]) -> dict[str, str]:
    """The fields of a text that has exactly these, each in its form. Raises `TextMalformed`."""
    try:
        lines = text.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise TextMalformed("the text is not ASCII") from None
    if lines[0] != title:
        raise TextMalformed(f"the first line is not {title!r}")
    if len(lines) != len(forms) + 2 or lines[-1]:
        raise TextMalformed(f"the text is not {len(forms) + 1} lines long")
    return {
        name: _value(line, name, form) for line, (name, form) in zip(lines[1:], forms.items(), strict=False)
    }


def _value(line: str, name: str, form: re.Pattern[str]) -> str:
    found, _, value = line.partition(": ")
    if found != name or not form.fullmatch(value):
        raise TextMalformed(f"where `{name}` should stand, in its form, is {line[:80]!r}")
    return value
