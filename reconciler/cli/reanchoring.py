"""What the verbs about re-anchor records share: reading the file, and how a record is told."""

from __future__ import annotations

from pathlib import Path

from reconciler.authoring.author import Author
from reconciler.authoring.reanchoring import root_for
from reconciler.ledger.checkpoints import reanchor
from reconciler.ledger.checkpoints.reanchor import SignedReanchor
from reconciler.ledger.signatures import signed_text


def read_record(file: Path) -> SignedReanchor:
    """The record in a file. Raises ReanchorRefused."""
    with file.open("rb") as opened:
        return reanchor.parse(opened.read(signed_text.MAX_BYTES + 1))


def lines(author: Author, signed: SignedReanchor) -> list[str]:
    """The record for people."""
    record, root = signed.record, root_for(author, signed.record)
    names = [each.principal for each in reanchor.signers(signed, root)]
    return [
        f"{record}",
        f"  leaves   {record.old}",
        f"  goes to  {record.new}, transaction {record.position}, state {record.state[:12]}",
        f"  signed   by {', '.join(names) or 'nobody'} of root; it takes {root.signers.threshold}",
    ]


def as_plain(author: Author, signed: SignedReanchor) -> dict[str, object]:
    """For JSON."""
    record, root = signed.record, root_for(author, signed.record)
    names = [each.principal for each in reanchor.signers(signed, root)]
    return {
        "anchor": record.anchor,
        "sequence": record.sequence,
        "old": record.old,
        "new": record.new,
        "position": record.position,
        "state": record.state,
        "signers": names,
        "threshold": root.signers.threshold,
        "complete": len(names) >= root.signers.threshold,
    }


def next_step(author: Author, signed: SignedReanchor, file: Path) -> str:
    """What to do with the file now."""
    if as_plain(author, signed)["complete"]:
        return (
            f"next: give {file} to every node that is on the other side, by another way than the forge: "
            f"tnet node reanchor {file.name}; and to people: tnet trust --reanchor {file.name}"
        )
    return f"next: let another root sign it: tnet reanchor sign {file.name}"
