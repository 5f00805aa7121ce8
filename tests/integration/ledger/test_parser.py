"""A node whose YAML parser is another judges nothing: it keeps what it has, and goes on when it is mended."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from yaml import _yaml as binding

from reconciler.model import yaml_parser
from reconciler.model.yaml_parser import ParserUnfit
from tests.integration.ledger.world import DAVE, WEB, World, network


@pytest.fixture(autouse=True)
def looked_at_anew() -> Iterator[None]:
    yaml_parser._parser.cache_clear()
    yield
    yaml_parser._parser.cache_clear()


@pytest.mark.rule(3)
def test_another_parser_is_local_trouble_and_never_a_verdict(world: World) -> None:
    before = world.ledger.judge_local()
    good = network("web", 1, [("paris/p1", 1, 1)], comment="read by the right parser")
    world.forge.commit({WEB: good}, DAVE)
    world.forge.commit({WEB: b"a: ["}, DAVE)
    with pytest.MonkeyPatch.context() as patch:
        yaml_parser._parser.cache_clear()
        patch.setattr(binding, "get_version", lambda: (0, 2, 4))
        for _ in range(2):
            with pytest.raises(ParserUnfit):
                world.sync()
    after = world.sync()
    assert [verdict.code for verdict in after.verdicts[-2:]] == ["accepted", "invalid-document"]
    assert after.state_hash != before.state_hash
    another = world.new_ledger("another")
    assert another.sync().state_hash == after.state_hash
    another.close()
    assert world.effective(WEB) == good
