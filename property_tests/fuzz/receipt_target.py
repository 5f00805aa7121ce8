"""Receipts: any bytes are refused by name, or are a receipt with one encoding; and any receipt proves what it
is to prove, or is refused by name.

The seeds are of one ledger, which begins at ANCHOR. Written anew in its one form, what a mutation has made
gets past the door and is checked as well.
"""

from __future__ import annotations

import msgspec

from reconciler.records.receipt import Receipt, ReceiptMalformed, ReceiptRefused, encode, parse
from reconciler.records.receipt_check import check as check_receipt

ANCHOR = "615629c6dee9e0df377f3814c8e3791156ff7d33"


def check(data: bytes) -> None:
    """Raises AssertionError, or whatever shouldn't come out, where the reader is wrong."""
    try:
        assert encode(parse(data)) == data
    except ReceiptMalformed as malformed:
        assert str(malformed)
    try:
        receipt = msgspec.json.decode(data, type=Receipt)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return
    assert parse(encode(receipt)) == receipt
    _check(receipt)


def _check(receipt: Receipt) -> None:
    try:
        found = check_receipt(receipt, ANCHOR)
    except ReceiptRefused as refused:
        assert str(refused)
        return
    assert found.vouching
    assert found.documents and all(each.signers for each in found.documents)
