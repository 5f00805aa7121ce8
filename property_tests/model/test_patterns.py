"""Laws of patterns: what `covers` says is what `matches` does on every document's path.

Names are so few that every path they make can be tried; some stand in no pattern, for all other names.
"""

from __future__ import annotations

from itertools import product

from hypothesis import assume, given
from hypothesis import strategies as st

from reconciler.model.documents import Metadata, Policy, PolicySpec, Principal, Rule, Signers
from reconciler.model.paths import farm_path, place_of, suspension_path, tenant_path
from reconciler.model.patterns import ANY, covering, covers, matches, names_something
from reconciler.model.signers import scopes, signers_for
from reconciler.model.within_signers import naming

NAMES = ("aa", "aab", "ab", "a-b", "zz")
NEW_NAMES = ("aaz", "abz", "a-z", "zzz", "qq")
SHARDS = ("aa", "ab", "a-", "zz", "q", "..")
PATHS = tuple(
    make(name) for name, make in product(NAMES + NEW_NAMES, (suspension_path, farm_path, tenant_path))
)

_name = st.sampled_from((*NAMES, ANY))
_file = st.sampled_from((*(f"{name}.yaml" for name in NAMES), ANY))
patterns = st.one_of(
    st.builds("trust/suspensions/{}".format, _file),
    st.builds("farms/{}/farm.yaml".format, _name),
    st.builds("tenants/{}/{}/tenant.yaml".format, st.sampled_from((*SHARDS, ANY)), _name),
)


def matched(pattern: str) -> set[str]:
    return {path for path in PATHS if matches(pattern, path)}


@given(patterns)
def test_a_pattern_names_something_if_a_document_can_lie_where_it_matches(pattern: str) -> None:
    assert names_something(pattern) == bool(matched(pattern))


@given(patterns, patterns)
def test_a_pattern_covers_another_if_it_matches_all_its_paths(one: str, other: str) -> None:
    assume(names_something(one) and names_something(other))
    assert covers(one, other) == (matched(other) <= matched(one))


@given(patterns, patterns)
def test_looking_up_finds_what_comparing_finds(one: str, other: str) -> None:
    assume(names_something(one) and names_something(other))
    scope = next(scope for scope in scopes(policy(())) if covers(scope, other))
    assert (one in covering(other, scope)) == covers(one, other) or one != canonical(one)


def canonical(pattern: str) -> str:
    """Only `tenants/*/<name>` can be written in two ways; the other way is found by the same look-up."""
    head, _, rest = pattern.partition("/")
    first, _, tenant = rest.partition("/")
    name = tenant.partition("/")[0]
    return f"tenants/{name[:2]}/{tenant}" if head == "tenants" and first == ANY != name else pattern


def policy(rules: tuple[tuple[str, ...], ...]) -> Policy:
    """A policy in which each rule names a principal of its own."""
    root = Signers((Principal("root", ("ssh-ed25519 AAAA",)),))
    made = tuple(
        Rule(paths, Signers((Principal(f"rule-{number}", (f"ssh-ed25519 BBB{number}",)),)))
        for number, paths in enumerate(rules)
    )
    return Policy("tnet/v1", Metadata("policy"), PolicySpec(1, 1, root, rules=made))


@given(st.lists(st.lists(patterns, min_size=1, max_size=3).map(tuple), max_size=4).map(tuple))
def test_the_first_rule_that_matches_says_who_signs(rules: tuple[tuple[str, ...], ...]) -> None:
    document = policy(rules)
    for path in PATHS:
        assert place_of(path) is not None
        first = (n for n, paths in enumerate(rules) if any(matches(pattern, path) for pattern in paths))
        number = next(first, None)
        expected = "root" if number is None else f"rule-{number}"
        assert signers_for(document, path).principals[0].name == expected


def refused(some: list[str], code: str) -> set[object]:
    """The numbers of the rules that are refused with this code, if each of these patterns is a rule."""
    document = policy(tuple((pattern,) for pattern in some))
    found = naming(document, ("spec", "root"))
    return {finding.pointer[2] for finding in found if finding.code == code}


@given(st.lists(patterns, max_size=5))
def test_a_pattern_is_shadowed_if_an_earlier_one_has_all_its_paths(some: list[str]) -> None:
    assume(all(map(names_something, some)))
    assert refused(some, "shadowed") == {
        number
        for number, pattern in enumerate(some)
        if any(matched(pattern) <= matched(earlier) for earlier in some[:number])
    }


@given(st.lists(patterns, min_size=1, max_size=5))
def test_what_can_match_nothing_is_refused_and_nothing_else(some: list[str]) -> None:
    nothing = {number for number, pattern in enumerate(some) if not matched(pattern)}
    assert refused(some, "names-nothing") == nothing
