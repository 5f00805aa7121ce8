"""What our YAML is, pinned down: `yaml_vectors.json` says which bytes are read as what, and which are not.

Anybody who reads documents with another program tries it on these. The bytes are those of `text` in UTF-8, or
`hex`, `times` over if that is said, and `then` behind them. They are read as `value`, or `refused` with this
code; `line` and `column` are where our message points.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from reconciler.model import yaml
from reconciler.model.yaml import YamlError

VECTORS: list[dict[str, Any]] = json.loads(Path(__file__).with_name("yaml_vectors.json").read_text())


def data_of(vector: dict[str, Any]) -> bytes:
    start = bytes.fromhex(vector["hex"]) if "hex" in vector else vector["text"].encode()
    data: bytes = start * vector.get("times", 1) + vector.get("then", "").encode()
    return data


def same(one: object, other: object) -> bool:
    """Equal, and of the same types all the way down: true is not 1."""
    return repr(one) == repr(other)


@pytest.mark.rule(3)
@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_a_vector(vector: dict[str, Any]) -> None:
    started = time.process_time()
    if "refused" in vector:
        with pytest.raises(YamlError) as caught:
            yaml.read(data_of(vector))
        error = caught.value
        expected = (vector["refused"], vector["line"], vector["column"])
        assert (error.code, *error.mark) == expected, str(error)
    else:
        assert same(yaml.read(data_of(vector)), vector["value"])
    assert time.process_time() - started < 1


def test_every_code_of_the_reader_has_a_vector() -> None:
    """Those that the specification lists for YAML; each is shown by at least one attack."""
    codes = {vector["refused"] for vector in VECTORS if "refused" in vector}
    assert codes == {
        "alias",
        "anchor",
        "big-integer",
        "character",
        "directive",
        "duplicate-key",
        "empty",
        "key",
        "merge-key",
        "not-utf8",
        "several-documents",
        "syntax",
        "tag",
        "too-big",
        "too-deep",
        "too-many-values",
    }
