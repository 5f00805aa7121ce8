"""The form of a receipt: one JSON file that proves a purchase to somebody who has only the anchor
(docs/spec/receipts.md).

Bytes in, value out. Each receipt has one encoding: what isn't written exactly as `encode` writes it is no
receipt. What it proves is checked in `receipt_check`.
"""

from __future__ import annotations

import base64
import json
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from reconciler.errors import TnetError

FORMAT: Literal["tnet/v1 receipt"] = "tnet/v1 receipt"
MAX_BYTES = 16 << 20

Id = Annotated[str, Meta(pattern=r"^[0-9a-f]{40}$(?!\n)")]
Hash = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]
Position = Annotated[int, Meta(ge=0, lt=10**15)]
Path = Annotated[str, Meta(pattern=r"^[!-~]{1,512}$(?!\n)")]
Code = Annotated[str, Meta(pattern=r"^[a-z-]{1,64}$(?!\n)")]


class ReceiptRefused(TnetError):
    """A receipt that doesn't prove what it is to prove; the message says what fails."""


class ReceiptMalformed(ReceiptRefused):
    """Not a receipt in the form of the specification."""


class _Part(Struct, frozen=True, forbid_unknown_fields=True):
    """Settings that all parts share: exactly the named fields, none more."""


class Change(_Part, frozen=True):
    """What a transaction put in effect at a path; null: it removed it."""

    path: Path
    object: Id | None


class Leaf(_Part, frozen=True):
    """A transaction as the log has it, and the hashes from its leaf to the log's root."""

    position: Position
    commit: Id
    code: Code
    changes: tuple[Change, ...]
    proof: Annotated[tuple[Hash, ...], Meta(max_length=64)]


class Proven(_Part, frozen=True):
    """A document of the transaction, and the commits that hold it, signed by those who approved it."""

    path: Path
    approved_by: Annotated[tuple[Id, ...], Meta(min_length=1, max_length=64)]


class Statement(_Part, frozen=True):
    """A checkpoint: the statement, and of those who vouch for it one binary SSHSIG each, in base64."""

    text: str
    signatures: Annotated[tuple[str, ...], Meta(min_length=1, max_length=64)]


class Owner(_Part, frozen=True):
    """The document that named who may approve, and the transaction that had put it in effect; null if it
    stands in the anchor."""

    path: Path
    leaf: Leaf | None


class Objects(_Part, frozen=True):
    """The git objects that all of it leans on, each kind sorted by id: raw commits and documents as text,
    raw trees in base64."""

    commits: tuple[str, ...]
    documents: tuple[str, ...]
    trees: tuple[str, ...]


class Receipt(_Part, frozen=True):
    """All of it. `policies` lists, for each version of the policy after the anchor's up to the one by which
    the checkpoint is signed, the signed commits that brought it."""

    format: Literal["tnet/v1 receipt"]
    anchor: Id
    policies: Annotated[
        tuple[Annotated[tuple[Id, ...], Meta(min_length=1, max_length=64)], ...], Meta(max_length=1024)
    ]
    checkpoint: Statement
    transaction: Leaf
    documents: Annotated[tuple[Proven, ...], Meta(min_length=1, max_length=1024)]
    owners: Annotated[tuple[Owner, ...], Meta(min_length=1, max_length=1024)]
    objects: Objects


def encode(receipt: Receipt) -> bytes:
    """The one encoding: JSON, ASCII, fields in the order above, indented by one space, a line feed last."""
    plain = msgspec.to_builtins(receipt)
    return json.dumps(plain, indent=1, ensure_ascii=True).encode("ascii") + b"\n"


def parse(data: bytes) -> Receipt:
    """The receipt in a file. Raises `ReceiptMalformed`."""
    if len(data) > MAX_BYTES:
        raise ReceiptMalformed(f"a receipt has at most {MAX_BYTES} bytes, and this has {len(data)}")
    try:
        receipt = msgspec.json.decode(data, type=Receipt)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ReceiptMalformed(f"this is no receipt: {error}") from None
    if encode(receipt) != data:
        raise ReceiptMalformed("the receipt isn't written in its one form (docs/spec/receipts.md)")
    return receipt


def to_base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def from_base64(text: str) -> bytes:
    """What `to_base64` was given. Raises `ReceiptMalformed`."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise ReceiptMalformed("a value of the receipt isn't base64") from None
    if to_base64(data) != text:
        raise ReceiptMalformed("a value of the receipt isn't in the one form of base64")
    return data
