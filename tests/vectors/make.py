"""Writes the golden vectors of the current protocol: `python -m tests.vectors.make`.

Only for a new protocol number, or while one is not released: what is released is never written anew.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from reconciler.ledger import bounds
from reconciler.ledger.view import LedgerView
from tests.vectors.story import tell

DIRECTORY = Path(__file__).parent


def expected(view: LedgerView) -> dict[str, object]:
    """What every implementation has to come to."""
    return {
        "protocol": bounds.PROTOCOL,
        "anchor": view.verdicts[0].commit,
        "tip": view.tip,
        "mark": view.mark,
        "effectiveTree": view.effective_tree,
        "verdicts": [
            {"commit": each.commit, "code": each.code, "stateHash": each.state_hash} for each in view.verdicts
        ],
    }


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        world = tell(Path(directory))
        view = world.sync()
        world.ledger.close()
        name = DIRECTORY / f"protocol-{bounds.PROTOCOL}"
        world.forge.git("bundle", "create", "-q", f"{name}.bundle", "refs/heads/main")
        told = {**expected(view), "rootFingerprints": sorted(world.anchor.root_fingerprints)}
        name.with_suffix(".json").write_text(json.dumps(told, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
