"""`tnet receipt verify`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import click

from reconciler.cli.output import example, output_option, print_json
from reconciler.ledger.anchor import Anchor
from reconciler.ledger.checkpoints.checkpoint import time_text
from reconciler.ledger.repository.objects import CommitId
from reconciler.ledger.verdict import Signer
from reconciler.records.claimed_date import claimed_date
from reconciler.records.receipt import MAX_BYTES, parse
from reconciler.records.receipt_check import Findings, check


@click.command(
    "verify",
    epilog=example(
        "tnet receipt verify web.receipt --anchor 3f1c…",
        "tnet receipt verify web.receipt --anchor 3f1c… --root-key SHA256:Qm9v… -o json",
    ),
)
@click.argument("file", type=click.File("rb"))
@click.option("--anchor", required=True, metavar="COMMIT", help="The ledger's first commit, its whole id.")
@click.option(
    "--root-key",
    "root_keys",
    multiple=True,
    metavar="SHA256:…",
    help="A root key's fingerprint, to be compared as well; repeat it for each root key.",
)
@click.option("--documents", is_flag=True, help="Print the documents that are proven, too.")
@output_option
def verify(file: BinaryIO, anchor: str, root_keys: tuple[str, ...], documents: bool, output: str) -> None:
    """Check the receipt in FILE, and say what it proves. Exit code 1 if it proves nothing.

    Needs no ledger and no network. Take the anchor from somebody you trust, not from who hands you the
    receipt. The time is the checkpoint's, by the clock of who signed it; the commit's date is only a claim.
    """
    data = file.read(MAX_BYTES + 1)
    if root_keys:
        Anchor(CommitId(anchor), frozenset(root_keys))
    findings = check(parse(data), anchor, root_keys)
    if output == "json":
        print_json(as_plain(findings))
    else:
        click.echo("\n".join(_lines(findings, documents)))


def as_plain(found: Findings) -> dict[str, object]:
    """For a program."""
    place = found.checkpoint.place
    return {
        "position": found.position,
        "commit": found.commit,
        "code": found.code,
        "subject_claimed": found.shown.subject,
        "date_claimed": claimed_date(found.shown.date),
        "documents": [
            {
                "path": each.path,
                "removed": each.data is None,
                "content": None if each.data is None else each.data.decode("utf-8"),
                "approved_by": [_plain(signer) for signer in each.signers],
            }
            for each in found.documents
        ],
        "checkpoint": {
            "kind": found.checkpoint.kind.value,
            "sequence": found.checkpoint.sequence,
            "position": place.position,
            "commit": place.commit,
            "issued": time_text(found.checkpoint.issued),
            "signers": [_plain(signer) for signer in found.vouching],
            "policy_version": found.policy_version,
        },
        "root_keys": sorted(found.root_fingerprints),
    }


def _plain(signer: Signer) -> dict[str, str]:
    return {"role": signer.role, "principal": signer.principal, "fingerprint": signer.fingerprint}


def _lines(found: Findings, documents: bool) -> Iterator[str]:
    yield f"proven   transaction {found.position}, {found.commit}, was {found.code}"
    yield f"         {found.shown.subject} ({claimed_date(found.shown.date)}, as its committer claims)"
    for each in found.documents:
        yield f"{'removed' if each.data is None else 'put':<8} {each.path}"
        for signer in each.signers:
            yield f"         approved by {signer}, {signer.fingerprint}"
        if documents and each.data is not None:
            yield from (f"         | {line}" for line in each.data.decode("utf-8").splitlines())
    checkpoint = found.checkpoint
    by = ", ".join(str(signer) for signer in found.vouching)
    issued = time_text(checkpoint.issued)
    yield f"by       {checkpoint}, of position {checkpoint.place.position}, issued {issued}"
    yield f"         signed by {by}, whom version {found.policy_version} of the policy names"
    yield "from     the anchor, whose root keys are"
    yield from (f"         {fingerprint}" for fingerprint in sorted(found.root_fingerprints))
