"""Taking back consent: a signed commit that isn't merged yet is listed, and approves nothing any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from reconciler.authoring.author import Author
from reconciler.authoring.change import Change
from reconciler.authoring.errors import AuthoringError, NothingToDo, WorkTreeError
from reconciler.authoring.tenants import existing_tenant
from reconciler.authoring.worktree import WorkTree
from reconciler.ledger.repository.objects import CommitId, CommitMalformed, parse_commit
from reconciler.model.documents import Network, Tenant
from reconciler.model.paths import place_of, tenant_path

_ADVICE = (
    "fetch the branch that has it (git fetch), or change the documents that it is about: what was signed "
    "before an accepted change of them counts no longer"
)


@dataclass(frozen=True, slots=True)
class Consent:
    """A commit that may yet be merged, with the id that it would have without its signature."""

    commit: str
    unsigned_id: str
    tenants: frozenset[str]


def consents(author: Author, revisions: Sequence[str]) -> tuple[Consent, ...]:
    """What these commits consented to. Raises AuthoringError for one that is a part of the ledger already."""
    return tuple(_consent(author, revision) for revision in revisions)


def _consent(author: Author, revision: str) -> Consent:
    tree = author.tree
    try:
        commit = tree.resolve(revision)
    except WorkTreeError as unknown:
        raise AuthoringError(str(unknown), _ADVICE) from None
    _require_unmerged(tree, commit)
    try:
        unsigned = parse_commit(author.replay.store.commits([CommitId(commit)])[0]).unsigned_id
    except CommitMalformed as malformed:
        raise NothingToDo(f"{commit[:12]} can't count anyway: {malformed}") from None
    return Consent(commit, unsigned, _tenants(tree, commit))


def _require_unmerged(tree: WorkTree, commit: str) -> None:
    if tree.git("merge-base", "HEAD", commit) == commit:
        raise AuthoringError(
            f"{commit[:12]} is behind HEAD: what it approved has been judged, and a verdict never changes",
            "take the transaction back: tnet rollback COMMIT (of a merged branch that is the merge)",
        )


def _tenants(tree: WorkTree, commit: str) -> frozenset[str]:
    """Whose documents the commit changed against any of its parents."""
    flags = ("-m", "--root", "--no-commit-id", "--name-only", "--no-renames", "-r", "-z")
    names = tree.git("diff-tree", *flags, commit).split("\0")
    places = (place_of(name) for name in names)
    return frozenset(
        place.tenant for place in places if place is not None and place.kind in (Tenant, Network)
    )


def withdraw(author: Author, tenant: str | None, found: Sequence[Consent]) -> Change:
    """The tenant's document with these commits listed (the tenant signs)."""
    name = tenant or _one_tenant(found)
    before = existing_tenant(author.model, name)
    listed = before.spec.withdrawn
    new = tuple(
        dict.fromkeys(
            each.unsigned_id for each in found if {each.commit, each.unsigned_id}.isdisjoint(listed)
        )
    )
    if not new:
        raise NothingToDo(f"{name} has taken back all of this already")
    spec = replace(before.spec, withdrawn=(*listed, *new))
    notes = tuple(f"{each.commit[:12]} is listed as {each.unsigned_id[:12]}" for each in found)
    return Change(f"tenant {name}: withdraw consent", {tenant_path(name): replace(before, spec=spec)}, notes)


def _one_tenant(found: Sequence[Consent]) -> str:
    tenants = sorted({tenant for each in found for tenant in each.tenants})
    if len(tenants) == 1:
        return tenants[0]
    ids = ", ".join(each.unsigned_id for each in found)
    if not tenants:
        raise AuthoringError(
            "these commits change no tenant's documents",
            f"farmers and root list what they take back in their own file, by hand: spec.withdrawn: {ids}",
        )
    raise AuthoringError(
        f"these commits are about several tenants: {', '.join(tenants)}", "name one: --tenant"
    )
