"""`tnet key setup`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from reconciler.authoring import git_signing
from reconciler.authoring.allowed_signers import allowed_signers
from reconciler.authoring.author import Author
from reconciler.authoring.errors import SigningError
from reconciler.authoring.key_search import usable_value
from reconciler.authoring.signing_key import SigningKey, choose_signing_key, public_key
from reconciler.authoring.worktree import WorkTree
from reconciler.cli.options import key_option, repo_option
from reconciler.cli.output import example, output_option, print_json, say
from reconciler.ledger.judging.keyring import Keyring
from reconciler.ledger.signatures.keys import PublicKey, from_text

_NOBODY = "tnet"


@click.command(
    epilog=example("tnet key setup", "tnet key setup --key ~/.ssh/id_ed25519", "tnet key setup --undo")
)
@click.option("--undo", is_flag=True, help="Give git's settings their values from before.")
@key_option
@repo_option
@output_option
def command(undo: bool, key: str | None, repo: Path, output: str) -> None:
    """Set up your clone so that plain `git commit` signs, and `git log --show-signature` knows the signers.

    Only the clone's own git configuration is changed. Run it again when people or keys have come or gone in
    the ledger: whose signatures git shows as good is taken from what is in effect.
    """
    if undo:
        return _tell_undone(git_signing.undo(WorkTree.open(repo)), output)
    with Author.open(repo) as author:
        tree, keyring = author.tree, author.replay.keyring
    chosen = choose_signing_key(key, tree.config("user.signingkey"))
    public = from_text(public_key(chosen))
    _require_private_half(tree, chosen, public)
    settings = git_signing.wanted_settings(tree, chosen, _name(keyring, public))
    git_signing.set_up(tree, settings, allowed_signers(keyring.holders()))
    return _tell(tree, settings, keyring, public, output)


def _require_private_half(tree: WorkTree, chosen: SigningKey, public: PublicKey) -> None:
    """A program of the user's own (a password manager's) may know keys that we can't see."""
    if tree.config("gpg.ssh.program") is None and usable_value(chosen, public.text) is None:
        raise SigningError(
            f"{chosen}: its private half is neither beside it nor in an ssh-agent",
            "hand it to the agent: ssh-add FILE, or name the private key's file; nothing was changed",
        )


def _name(keyring: Keyring, key: PublicKey) -> str:
    """What commits say of somebody who has told git no name: a pseudonym that the ledger has anyway."""
    return next((signer.principal for signer in keyring.roles(key)), _NOBODY)


def _tell(tree: WorkTree, settings: Mapping[str, str], keyring: Keyring, key: PublicKey, output: str) -> None:
    roles = keyring.roles(key)
    if not roles:
        say(f"warning: nobody in effect has the key {key.fingerprint}: what it signs is rejected")
        say("  as a tenant: tnet tenant prove TENANT; otherwise hand it on: tnet key show")
    if output == "json":
        return print_json(
            {
                "repository": str(tree.root),
                "fingerprint": key.fingerprint,
                "roles": [{"role": each.role, "principal": each.principal} for each in roles],
                "settings": dict(settings),
            }
        )
    by = f" as {', '.join(map(str, roles))}" if roles else ""
    click.echo(f"{tree.root}: plain `git commit` signs with {key.fingerprint}{by}")
    width = max(map(len, settings))
    for name, value in settings.items():
        click.echo(f"  {name:<{width}}  {value}")
    return click.echo(
        "next: git commit, then tnet check origin/main..HEAD; to take this back: tnet key setup --undo"
    )


def _tell_undone(undone: git_signing.Undone, output: str) -> None:
    if output == "json":
        return print_json({"restored": list(undone.restored), "left": list(undone.left)})
    for name in undone.restored:
        click.echo(f"{name}: as it was before")
    for name in undone.left:
        click.echo(f"{name}: changed by others since, left alone")
    return None
