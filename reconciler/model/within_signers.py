"""The rules that one document must keep about whom it names: signers, rules for some paths, withdrawals."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.model.documents import Policy, Rule, Signers
from reconciler.model.patterns import covering, covers, names_something
from reconciler.model.problems import Finding, shown
from reconciler.model.repetition import repeated
from reconciler.model.signers import Naming, own_signers, scopes
from reconciler.model.ssh_key import ssh_key_fault
from reconciler.model.yaml import Pointer

Findings = Iterator[Finding]
_Lists = list[tuple[Signers, Pointer]]

RULES: Pointer = ("spec", "rules")


def naming(document: Naming, at: Pointer) -> Findings:
    """Everything wrong with whom this document names. `at` is where its own signers are."""
    lists: _Lists = [(own_signers(document), at)]
    if isinstance(document, Policy) and document.spec.witness is not None:
        lists.append((document.spec.witness, ("spec", "witness")))
    rules = enumerate(document.spec.rules)
    lists += [(rule.signers, (*RULES, number, "signers")) for number, rule in rules]
    for signers, pointer in lists:
        yield from _signers(signers, pointer)
    yield from _one_principal_a_name(lists)
    yield from _one_principal_a_key(lists)
    yield from _patterns(document.spec.rules, scopes(document))
    yield from repeated(document.spec.withdrawn, ("spec", "withdrawn"), "commit-twice", "the commit")


# --- Lists of signers ----------------------------------------------------------------------------------


def _signers(signers: Signers, at: Pointer) -> Findings:
    names = [principal.name for principal in signers.principals]
    yield from repeated(names, (*at, "principals"), "principal-twice", "the principal", field="name")
    if signers.threshold > len(signers.principals):
        message = f"{signers.threshold} principals must sign, and there are only {len(signers.principals)}"
        yield Finding((*at, "threshold"), "threshold-too-high", message, "Lower it, or add principals.")


def _one_principal_a_name(lists: _Lists) -> Findings:
    """Approvals are counted by name, so a name must mean the same person wherever it stands."""
    known: dict[str, tuple[frozenset[str], Pointer]] = {}
    for signers, at in lists:
        for number, principal in enumerate(signers.principals):
            keys = frozenset(principal.keys)
            first, elsewhere = known.setdefault(principal.name, (keys, at))
            if keys != first and elsewhere != at:
                message = f"`{principal.name}` has other keys here than in {shown(elsewhere)}"
                advice = "Give one person the same keys everywhere, or two persons two names."
                pointer = (*at, "principals", number, "keys")
                yield Finding(pointer, "principal-differs", message, advice)


def _one_principal_a_key(lists: _Lists) -> Findings:
    holders: dict[str, str] = {}
    for signers, at in lists:
        here: set[str] = set()
        for number, principal in enumerate(signers.principals):
            for position, key in enumerate(principal.keys):
                pointer = (*at, "principals", number, "keys", position)
                holder = holders.setdefault(key, principal.name)
                if fault := ssh_key_fault(key):
                    advice = "Copy it from the .pub file again."
                    yield Finding(pointer, "bad-key", f"this SSH key {fault}", advice)
                elif key in here or holder != principal.name:
                    message = f"this key is already `{holder}`'s: a key belongs to one principal, and once"
                    yield Finding(pointer, "key-twice", message, "Remove one of the two.")
                here.add(key)


# --- Rules for some paths ------------------------------------------------------------------------------


def _patterns(rules: tuple[Rule, ...], allowed: tuple[str, ...]) -> Findings:
    seen: dict[str, Pointer] = {}
    for number, rule in enumerate(rules):
        for position, pattern in enumerate(rule.paths):
            at = (*RULES, number, "paths", position)
            scope = next((scope for scope in allowed if covers(scope, pattern)), None)
            if scope is None or not names_something(pattern):
                yield _names_nothing(pattern, allowed, at)
                continue
            earlier = min((seen[wider] for wider in covering(pattern, scope) & seen.keys()), default=None)
            if earlier is not None:
                yield _shadowed(pattern, earlier, at)
            seen.setdefault(pattern, at)


def _names_nothing(pattern: str, allowed: tuple[str, ...], at: Pointer) -> Finding:
    message = f"`{pattern}` names nothing that this document's signers sign for"
    choices = " or ".join(f"`{scope}`" for scope in allowed)
    advice = f"Write {choices}, with a name for `*` or not. The document itself stays with its own signers."
    return Finding(at, "names-nothing", message, advice)


def _shadowed(pattern: str, earlier: Pointer, at: Pointer) -> Finding:
    message = f"`{pattern}` never counts: {shown(earlier)} matches all of it already"
    return Finding(at, "shadowed", message, "Put what is special before what is general, or remove one.")
