"""What is governed also is so under names that a file system takes for ours."""

from __future__ import annotations

import pytest

from reconciler.ledger.governed import is_governed, place


@pytest.mark.parametrize(
    "path",
    [
        "trust",
        "trust/policy.yaml",
        "farms/x",
        "tenants/a/b/c",
        "Trust/x",
        "TENANTS/x",
        "farms./x",
        "farms /x",
        "tru\u200cst/x",
        "\ufefftrust/x",
        "tru\u017ft/x",
    ],
)
@pytest.mark.rule(4)
def test_governed(path: str) -> None:
    assert is_governed(path.encode())


@pytest.mark.parametrize(
    "path",
    ["README", "trusty/x", "tr\u00fcst/x", "x/trust/policy.yaml", "docs/farms/x", "", "/trust", "farm"],
)
@pytest.mark.rule(4)
def test_not_governed(path: str) -> None:
    assert not is_governed(path.encode())


@pytest.mark.rule(4, 11)
def test_a_place_is_exact() -> None:
    assert place(b"trust/policy.yaml") is not None
    for near in (
        b"trust/policy.yaml\n",
        b"trust//policy.yaml",
        b"Trust/policy.yaml",
        b"trust/policy.yaml/",
        b"trust/p\xff",
    ):
        assert place(near) is None
