"""The golden verdicts of each protocol number, which no release may change."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from reconciler.ledger.config import LedgerConfig
from reconciler.ledger.ledger import Ledger
from reconciler.ledger.repository.objects import CommitId
from reconciler.ledger.verdict import Reason
from tests.vectors.make import expected
from tests.vectors.story import tell

HERE = Path(__file__).parent
VECTORS = sorted(HERE.glob("protocol-*.json"))


def told(vector: Path) -> dict[str, Any]:
    return json.loads(vector.read_text("utf-8"))  # type: ignore[no-any-return]


def judged(vector: Path, directory: Path) -> dict[str, object]:
    forge = directory / "forge.git"
    bundle = vector.with_suffix(".bundle")
    subprocess.run(["git", "clone", "-q", "--bare", "-b", "main", str(bundle), str(forge)], check=True)
    facts = told(vector)
    config = LedgerConfig(
        remote=str(forge),
        branch="main",
        anchor=CommitId(facts["anchor"]),
        root_fingerprints=frozenset(facts["rootFingerprints"]),
        directory=directory / "node",
    )
    ledger = Ledger(config)
    try:
        return {**expected(ledger.sync()), "rootFingerprints": facts["rootFingerprints"]}
    finally:
        ledger.close()


@pytest.mark.rule(3)
@pytest.mark.rule(14)
@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.stem)
def test_verdicts_are_those_of_ever(vector: Path, tmp_path: Path) -> None:
    assert judged(vector, tmp_path) == told(vector)


def test_the_vectors_hold_every_reason_that_a_transaction_can_get() -> None:
    codes = {each["code"] for vector in VECTORS for each in told(vector)["verdicts"]}
    assert codes == {reason.value for reason in Reason} - {Reason.SNAPSHOT.value}


def test_the_story_is_told_alike_each_time(tmp_path: Path) -> None:
    """Each commit of it gets the code that its subject says, and the current vectors are made of it."""
    world = tell(tmp_path)
    view = world.sync()
    world.ledger.close()
    wanted = [each for each in view.verdicts if each.subject in {reason.value for reason in Reason}]
    assert [(each.position, each.code, each.detail) for each in wanted] == [
        (each.position, each.subject, each.detail) for each in wanted
    ]
    assert view.tip == told(VECTORS[-1])["tip"]
