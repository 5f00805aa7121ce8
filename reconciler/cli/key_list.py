"""`tnet key list`."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.authoring.key_search import Candidate, candidates
from reconciler.authoring.signing_key import choose_with_source, configured_key, named_keys, public_key
from reconciler.authoring.worktree import WorkTree
from reconciler.cli.known_roles import Roles, known_roles, plain_roles, roles_text
from reconciler.cli.options import repo_option
from reconciler.cli.output import example, output_option, print_json, say
from reconciler.errors import TnetError


@click.command(epilog=example("tnet key list", "tnet key list -o json"))
@repo_option
@output_option
def command(repo: Path, output: str) -> None:
    """List your SSH keys: where each is, and in which roles the ledger knows it.

    Looked at are what git and the environment name, the .pub files in ~/.ssh, and the ssh-agent. A star marks
    the key that signs now.
    """
    configured = configured_in(repo)
    found, roles, signing = candidates(configured), known_roles(repo), _signing(configured)
    if output == "json":
        return print_json([_plain(each, roles, signing) for each in found])
    for each in found:
        click.echo("\n".join(_lines(each, roles, signing)))
    return say("next: tnet key setup --key KEY" if found else "no SSH key was found; next: tnet key new")


def configured_in(repo: Path) -> str | None:
    """Git's user.signingkey as it is for commits there."""
    try:
        return WorkTree.open(repo).config("user.signingkey")
    except TnetError:
        return configured_key()


def _signing(configured: str | None) -> str | None:
    """The public half of the key that signs now; None if none is named, or, as is said, it can't be read."""
    if not named_keys(None, configured):
        return None
    try:
        return public_key(choose_with_source(None, configured)[1])
    except TnetError as error:
        say(f"no key signs now: {error}")
        return None


def _lines(each: Candidate, roles: Roles | None, signing: str | None) -> list[str]:
    star = "*" if each.text == signing else " "
    name = each.key.fingerprint if each.key else "refused"
    head = f"{star} {name}  {each.text.split()[0]}  {each.comment}".rstrip()
    told = [each.problem, roles_text(roles, each.key), "in: " + ", ".join(each.sources)]
    if each.value is None:
        told.append("its private half is not here")
    return [head, *(f"    {line}" for line in told if line)]


def _plain(each: Candidate, roles: Roles | None, signing: str | None) -> dict[str, object]:
    return {
        "public_key": each.text,
        "fingerprint": each.key.fingerprint if each.key else None,
        "comment": each.comment,
        "signs_now": each.text == signing,
        "accepted": each.key is not None,
        "problem": each.problem,
        "use_as": each.value,
        "found_in": list(each.sources),
        "roles": plain_roles(roles, each.key),
    }
