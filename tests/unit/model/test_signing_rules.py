"""Whom a document names: rules for some paths, witnesses, withdrawn consent, keys of security keys.

The tests put lines into the example's documents and look at what is found and where.
"""

from __future__ import annotations

import base64

import pytest

from reconciler.model.documents import Farm, Policy, Tenant
from reconciler.model.loader import load
from reconciler.model.problems import DocumentError, Problem
from reconciler.model.signers import all_principals, signers_for
from tests.unit.model import example
from tests.unit.model.example import ACME, PARIS, POLICY


def key(number: int) -> str:
    """An ed25519 key that is whole."""
    blob = b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + bytes([number]) * 32
    return f"ssh-ed25519 {base64.b64encode(blob).decode()}"


def security_key(application: bytes = b"ssh:") -> str:
    name = b"sk-ssh-ed25519@openssh.com"
    fields = (name, b"\1" * 32, application)
    blob = b"".join(len(field).to_bytes(4, "big") + field for field in fields)
    return f"{name.decode()} {base64.b64encode(blob).decode()}"


def signers(*people: tuple[str, str], threshold: int = 1) -> str:
    """Signers in YAML's flow style: (name, key) each."""
    listed = ", ".join(f'{{name: {name}, keys: ["{text}"]}}' for name, text in people)
    return f"{{threshold: {threshold}, principals: [{listed}]}}"


EVE = ("eve", key(1))


def rule(*paths: str, by: str = signers(EVE)) -> str:
    listed = ", ".join(f'"{path}"' for path in paths)
    return f"    - {{paths: [{listed}], signers: {by}}}\n"


def text(path: str, *rules: str, more: str = "") -> str:
    """The example's document with these rules at its end, and more lines of its spec."""
    listed = "  rules:\n" + "".join(rules) if rules else ""
    return example.texts()[path] + more + listed


def problems(path: str, data: str) -> list[Problem]:
    try:
        load(path, data.encode())
    except DocumentError as error:
        return list(error.problems)
    return []


def codes(path: str, data: str) -> list[tuple[str, str]]:
    return [(problem.code, problem.pointer) for problem in problems(path, data)]


# --- Which paths ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        (POLICY, "trust/suspensions/*"),
        (POLICY, "trust/suspensions/acme.yaml"),
        (POLICY, "farms/*/farm.yaml"),
        (POLICY, "farms/oslo/farm.yaml"),
        (POLICY, "tenants/*/*/tenant.yaml"),
        (POLICY, "tenants/ac/*/tenant.yaml"),
        (POLICY, "tenants/*/acme/tenant.yaml"),
        (POLICY, "tenants/ac/acme/tenant.yaml"),
        (PARIS, "farms/paris/nodes/*"),
        (PARIS, "farms/paris/grants/nobody-yet.yaml"),
        (ACME, "tenants/ac/acme/networks/*"),
        (ACME, "tenants/ac/acme/networks/web.yaml"),
    ],
)
def test_a_rule_may_be_for_what_the_documents_signers_sign_for(path: str, pattern: str) -> None:
    # A tenant's rule wants no proofs here: that they are there is the ledger's to check.
    assert codes(path, text(path, rule(pattern))) == []


@pytest.mark.rule(8)
@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        (POLICY, "trust/policy.yaml"),
        (POLICY, "trust/*"),
        (POLICY, "trust/suspensions/a.yaml"),
        (POLICY, "trust/suspensions/acme"),
        (POLICY, "farms/*/*"),
        (POLICY, "farms/*/nodes/*"),
        (POLICY, "farms/paris/grants/*"),
        (POLICY, "tenants/ac/acme/networks/*"),
        (POLICY, "tenants/*/*/*"),
        (POLICY, "tenants/zz/acme/tenant.yaml"),
        (POLICY, "tenants/a/*/tenant.yaml"),
        (POLICY, "tenants/*/a/tenant.yaml"),
        (POLICY, "tenants/-a/*/tenant.yaml"),
        (POLICY, "tenants/../*/tenant.yaml"),
        (PARIS, "farms/paris/farm.yaml"),
        (PARIS, "farms/*/nodes/*"),
        (PARIS, "farms/lyon/nodes/*"),
        (PARIS, "farms/paris/nodes/-.yaml"),
        (PARIS, "farms/paris/nodes/p1.yml"),
        (PARIS, "trust/suspensions/*"),
        (ACME, "tenants/ac/acme/tenant.yaml"),
        (ACME, "tenants/ac/*/networks/*"),
        (ACME, "tenants/*/acme/networks/*.yaml"),
        (ACME, "tenants/gl/globex/networks/*"),
        (ACME, "tenants/ac/acme/networks/web/x.yaml"),
        (ACME, "readme/x"),
    ],
)
def test_a_rule_that_names_nothing_is_refused(path: str, pattern: str) -> None:
    found = problems(path, text(path, rule(pattern)))
    expected = "bad-text" if "*." in pattern else "names-nothing"
    assert [(problem.code, problem.pointer) for problem in found] == [(expected, "spec.rules[0].paths[0]")]
    lines = text(path, rule(pattern)).splitlines()
    assert lines[found[0].line - 1][found[0].column - 1 :].startswith(f'"{pattern}"')


@pytest.mark.parametrize(
    "pattern", ["*", "farms/**/farm.yaml", "farms/p*/farm.yaml", "/farms/x", "Farms/x/y", ""]
)
def test_only_whole_names_have_a_star(pattern: str) -> None:
    assert codes(POLICY, text(POLICY, rule(pattern))) == [("bad-text", "spec.rules[0].paths[0]")]


def test_the_advice_shows_what_may_stand_there() -> None:
    (problem,) = problems(PARIS, text(PARIS, rule("farms/lyon/nodes/*")))
    assert "`farms/paris/nodes/*` or `farms/paris/grants/*`" in problem.advice


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("farms/paris/nodes/*", "farms/paris/nodes/p1.yaml"),
        ("farms/paris/nodes/p1.yaml", "farms/paris/nodes/p1.yaml"),
        ("farms/paris/grants/*", "farms/paris/grants/*"),
    ],
)
@pytest.mark.rule(8)
def test_a_rule_in_the_shadow_of_an_earlier_one_is_refused(earlier: str, later: str) -> None:
    (problem,) = problems(PARIS, text(PARIS, rule(earlier), rule(later)))
    assert (problem.code, problem.pointer) == ("shadowed", "spec.rules[1].paths[0]")
    assert "spec.rules[0].paths[0] matches all of it" in problem.message
    assert codes(PARIS, text(PARIS, rule(earlier, later))) == [("shadowed", "spec.rules[0].paths[1]")]


def test_a_tenant_in_another_spelling_of_its_directory_is_shadowed_too() -> None:
    spelt = text(POLICY, rule("tenants/*/acme/tenant.yaml"), rule("tenants/ac/acme/tenant.yaml"))
    assert codes(POLICY, spelt) == [("shadowed", "spec.rules[1].paths[0]")]


def test_the_special_before_the_general_is_right() -> None:
    data = text(PARIS, rule("farms/paris/nodes/p1.yaml"), rule("farms/paris/nodes/*"))
    assert codes(PARIS, data) == []


# --- Who -----------------------------------------------------------------------------------------------


def loaded(path: str, kind: type[Policy] | type[Farm] | type[Tenant], data: str) -> Policy | Farm | Tenant:
    found = load(path, data.encode())
    assert isinstance(found, kind)
    return found


def test_the_first_rule_that_matches_replaces_the_own_signers() -> None:
    data = text(
        PARIS,
        rule("farms/paris/nodes/p1.yaml", by=signers(("mia", key(2)))),
        rule("farms/paris/nodes/*", by=signers(EVE)),
    )
    farm = loaded(PARIS, Farm, data)
    names = {
        path: [principal.name for principal in signers_for(farm, path).principals]
        for path in (PARIS, example.P1, example.P2, example.PARIS_ACME)
    }
    assert names == {PARIS: ["bob"], example.P1: ["mia"], example.P2: ["eve"], example.PARIS_ACME: ["bob"]}


def test_a_rules_threshold_is_within_its_own_principals() -> None:
    data = text(PARIS, rule("farms/paris/nodes/*", by=signers(EVE, threshold=2)))
    assert codes(PARIS, data) == [("threshold-too-high", "spec.rules[0].signers.threshold")]


def test_everybody_who_may_sign_is_listed_once_and_witnesses_are_not() -> None:
    alice = example.document(POLICY, Policy).spec.root.principals[0]
    same = signers((alice.name, alice.keys[0]), EVE)
    data = text(
        POLICY,
        rule("farms/*/farm.yaml", by=same),
        rule("trust/suspensions/*", by=same),
        more=f"  witness: {signers(('robot', key(3)))}\n",
    )
    assert [person.name for person in all_principals(loaded(POLICY, Policy, data))] == ["alice", "eve"]
    assert all_principals(example.document(example.P1, type(example.documents()[example.P1]))) == ()
    assert all_principals(None) == ()


@pytest.mark.rule(8)
def test_one_name_with_two_sets_of_keys_would_count_twice_and_is_refused() -> None:
    data = text(POLICY, rule("farms/*/farm.yaml", by=signers(("alice", key(1)))))
    (problem,) = problems(POLICY, data)
    assert problem.code == "principal-differs"
    assert problem.pointer == "spec.rules[0].signers.principals[0].keys"
    assert "spec.root" in problem.message


@pytest.mark.rule(8)
def test_one_key_under_two_names_is_refused_wherever_they_stand() -> None:
    alices = example.document(POLICY, Policy).spec.root.principals[0].keys[0]
    in_rule = text(POLICY, rule("farms/*/farm.yaml", by=signers(("eve", alices))))
    as_witness = text(POLICY, more=f"  witness: {signers(('robot', alices))}\n")
    twice = text(POLICY, rule("farms/*/farm.yaml"), rule("trust/suspensions/*", by=signers(("mia", key(1)))))
    assert codes(POLICY, in_rule) == [("key-twice", "spec.rules[0].signers.principals[0].keys[0]")]
    assert codes(POLICY, as_witness) == [("key-twice", "spec.witness.principals[0].keys[0]")]
    assert codes(POLICY, twice) == [("key-twice", "spec.rules[1].signers.principals[0].keys[0]")]


def test_a_tenant_may_prove_a_key_that_stands_in_a_rule_only() -> None:
    data = text(ACME, rule("tenants/ac/acme/networks/web.yaml"))
    proof = f'    - {{key: "{key(1)}", signature: AAAA}}\n'
    assert codes(ACME, data.replace("  rules:\n", proof + "  rules:\n")) == []
    (problem,) = problems(ACME, example.texts()[ACME] + proof)
    assert problem.code == "proof-without-key"


def test_a_damaged_key_of_a_rule_is_pointed_at() -> None:
    damaged = signers(("eve", "ssh-ed25519 AAAA"))
    assert codes(PARIS, text(PARIS, rule("farms/paris/nodes/*", by=damaged))) == [
        ("bad-key", "spec.rules[0].signers.principals[0].keys[0]")
    ]


# --- Security keys, withdrawn consent ------------------------------------------------------------------


@pytest.mark.parametrize("application", [b"ssh:", b"ssh:work", b"example.org"])
def test_a_security_key_may_sign(application: bytes) -> None:
    by = signers(("eve", security_key(application)))
    assert codes(PARIS, text(PARIS, rule("farms/paris/nodes/*", by=by))) == []


@pytest.mark.parametrize("application", [b"", b"ssh: x", b"ssh:\0", b"a" * 254, "ssh:é".encode()])
def test_a_security_keys_application_is_printable_and_short(application: bytes) -> None:
    by = signers(("eve", security_key(application)))
    assert [code for code, _ in codes(PARIS, text(PARIS, rule("farms/paris/nodes/*", by=by)))] == ["bad-key"]


@pytest.mark.parametrize("path", [POLICY, PARIS, ACME])
def test_consent_is_withdrawn_by_a_commits_id(path: str) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    assert codes(path, text(path, more=f"  withdrawn: [{commit}]\n")) == []
    assert codes(path, text(path, more=f"  withdrawn: [{commit}, {commit}]\n")) == [
        ("commit-twice", "spec.withdrawn[1]")
    ]
    for wrong in (commit[:39], commit.upper(), commit + "0", f'"{commit} "'):
        data = text(path, more=f"  withdrawn: [{wrong}]\n")
        assert codes(path, data) == [("bad-text", "spec.withdrawn[0]")]


def test_there_are_as_many_rules_as_may_be_and_no_more() -> None:
    paths = [f"farms/paris/nodes/n{number}.yaml" for number in range(1024)]
    rules = [rule(*paths[start : start + 32]) for start in range(0, 1024, 32)]
    assert codes(PARIS, text(PARIS, *rules)) == []
    assert codes(PARIS, text(PARIS, *rules, rule("farms/paris/grants/*")))[0] == ("too-long", "spec.rules")
