"""Edits of YAML text: the differences arrive, every other byte stays."""

from __future__ import annotations

import copy
import difflib
from collections.abc import Callable
from typing import Any

import pytest
from ruamel.yaml import YAML

from reconciler.authoring.yaml_update import update

NETWORK = """\
# yaml-language-server: $schema=network.schema.json
apiVersion: tnet/v1   # the first
kind: Network
metadata:
  name: web
  description: "quoted: yes"
spec:
  ipv4: 10.1.0.0/16

  # what we bought
  resources:
    # paris came first
    - node: paris/p1   # main
      index: 1
      sealed: {key: abc, ciphertext: 'QUJD'}
    # then lyon
    - node: lyon/l1
      index: 2
      sealed:
        key: abc
        ciphertext: QUJD
    # more to come

  # who carries
  relays: []
  vnis:
    paris: 7   # lucky
# the end
"""


def read(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


def edited(text: str, change: Callable[[Any], None]) -> str:
    """The text after an edit, which must say exactly what was asked for."""
    old = read(text)
    new = copy.deepcopy(old)
    change(new)
    result = update(text, old, new)
    assert read(result) == new
    return result


def difference(text: str, change: Callable[[Any], None]) -> list[str]:
    """The lines that went (-) and came (+), without context."""
    lines = difflib.ndiff(text.splitlines(), edited(text, change).splitlines())
    return [line for line in lines if line[0] in "-+"]


def test_changing_nothing_keeps_every_byte() -> None:
    assert edited(NETWORK, lambda document: None) == NETWORK


def test_a_new_item_goes_behind_the_last_one_and_touches_no_other_line() -> None:
    def add(document: Any) -> None:
        document["spec"]["resources"].append({"node": "nice/n1", "index": 3, "sealed": {"key": "k"}})

    assert difference(NETWORK, add) == [
        "+     - node: nice/n1",
        "+       index: 3",
        "+       sealed:",
        "+         key: k",
    ]
    assert edited(NETWORK, add).index("nice/n1") < NETWORK.index("# more to come") + 100


def test_a_removed_item_goes_with_the_comment_above_it_only() -> None:
    def remove(document: Any) -> None:
        del document["spec"]["resources"][1]

    assert difference(NETWORK, remove) == [
        "-     # then lyon",
        "-     - node: lyon/l1",
        "-       index: 2",
        "-       sealed:",
        "-         key: abc",
        "-         ciphertext: QUJD",
    ]


def test_adding_and_removing_the_same_item_gives_the_same_bytes_back() -> None:
    item = {"node": "nice/n1", "index": 3}
    added = edited(NETWORK, lambda document: document["spec"]["resources"].append(item))
    assert edited(added, lambda document: document["spec"]["resources"].pop()) == NETWORK


def test_a_scalar_keeps_its_quotes_and_the_comment_behind_it() -> None:
    def change(document: Any) -> None:
        document["metadata"]["description"] = 'says "no"'
        document["spec"]["vnis"]["paris"] = 8
        document["spec"]["resources"][0]["index"] = 9

    assert difference(NETWORK, change) == [
        '-   description: "quoted: yes"',
        '+   description: "says \\"no\\""',
        "-       index: 1",
        "+       index: 9",
        "-     paris: 7   # lucky",
        "+     paris: 8   # lucky",
    ]


def test_an_empty_list_becomes_a_block_when_it_fills_and_a_full_one_empties_in_place() -> None:
    def fill(document: Any) -> None:
        document["spec"]["relays"] = ["paris/p1"]

    def empty(document: Any) -> None:
        document["spec"]["relays"] = []

    assert difference(NETWORK, fill) == ["-   relays: []", "+   relays:", "+     - paris/p1"]
    assert edited(edited(NETWORK, fill), empty) == NETWORK


def test_flow_style_stays_flow_style() -> None:
    def change(document: Any) -> None:
        document["spec"]["resources"][0]["sealed"]["key"] = "xyz"

    assert difference(NETWORK, change) == [
        "-       sealed: {key: abc, ciphertext: 'QUJD'}",
        "+       sealed: {key: xyz, ciphertext: QUJD}",
    ]


def test_a_new_entry_follows_the_last_one_at_its_indentation() -> None:
    def add(document: Any) -> None:
        document["spec"]["vnis"]["lyon"] = 3
        document["metadata"]["labels"] = ["a", "b"]

    assert difference(NETWORK, add) == [
        "+   labels:",
        "+     - a",
        "+     - b",
        "+     lyon: 3",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "items:\n- name: a\n  v: 1\n- name: b\n  v: 2\nlast: 1\n",
        "items:\n    -   name: a\n        v: 1\n    -   name: b\n        v: 2\nlast: 1\n",
        "items:\n  - name: a\n    v: 1\n\n  - name: b\n    v: 2\n\nlast: 1\n",
        "items: [{name: a, v: 1}, {name: b, v: 2}]\nlast: 1",
        "items:\n  -\n    name: a\n    v: 1\n  - name: b\n    v: 2\nlast: 1\n",
        "items:\n  - {name: a, v: 1}\n  - {name: b, v: 2}\nlast: 1\n",
        "last: 1\nitems:\n  - name: a\n    v: 1\n  - name: b\n    v: 2",
        "{items: [{name: a, v: 1}, {name: b, v: 2}], last: 1}\n",
        "items:\n  - name: 'a'\n    v: 1 # x\n  - name: \"b\"\n    v: |\n      2\n# end\nlast: 1\n",
    ],
)
@pytest.mark.parametrize("gone", [0, 1])
def test_every_layout_a_person_may_write_can_be_edited(text: str, gone: int) -> None:
    def add_and_change(document: Any) -> None:
        document["items"].append({"name": "c", "v": {"deep": [1]}})
        document["items"][gone]["v"] = 5

    def remove(document: Any) -> None:
        del document["items"][gone]

    edited(edited(text, add_and_change), remove)


def test_defaults_that_the_text_leaves_out_stay_out() -> None:
    old = {"spec": {"ipv4": "10.0.0.0/8", "relays": [], "threshold": 1}}
    new = {"spec": {"ipv4": "10.1.0.0/16", "relays": [], "threshold": 1}}
    assert update("spec:\n  ipv4: 10.0.0.0/8\n", old, new) == "spec:\n  ipv4: 10.1.0.0/16\n"
