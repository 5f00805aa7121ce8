"""Our verdict on a commit's signature is that of `git verify-commit` with the same keys, but where the
specification is stricter (docs/spec/ledger.md, section 3).

How many commits are tried: HYPOTHESIS_PROFILE, or TNET_VERIFY_COMMITS=5000.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import zlib
from pathlib import Path

import pytest
from hypothesis import event, given, settings

from property_tests.signed_commits import GOOD_KEYS, TABLES, Recipe, made, plain, recipes, soft_keys
from reconciler.ledger.judging.rejected import Rejected
from reconciler.ledger.judging.signing import key_that_signed
from reconciler.ledger.verdict import Reason

SPEC = Path(__file__).parents[1] / "docs" / "spec" / "ledger.md"

# The points in which the specification is stricter than git and OpenSSH, by code and words of the refusal.
STRICTER: dict[str, str] = {
    "form": r"^malformed-commit:",
    "armor": r"doesn't stand between its BEGIN and END|is not base64|superfluous bits|is longer than 16384",
    "version": r"has version 0",
    "names": r"a name holds other than printable ASCII",
    "reserved": r"reserved field is not empty",
    "numbers": r"an integer is not",
    "ed25519": r"is not of this content by this key",
    "keys": r"the signature's key is refused",
    "presence": r"the security key was not touched",
    "frames": r"a page within another site's page",
}


class Git:
    """A repository into which commits are written by hand, and git's word on them."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "repository"
        subprocess.run(["git", "init", "-q", "--bare", "--template=", str(self.path)], check=True)
        self.tree = self.write("tree", b"").encode()
        self.parent = self.write(
            "commit", b"tree %s\nauthor A <a> 1 +0000\ncommitter A <a> 1 +0000\n\n" % self.tree
        )
        allowed = directory / "allowed"
        allowed.write_text("".join(f"person{n} {key.public_text}\n" for n, key in enumerate(soft_keys())))
        self._config = {"gpg.format": "ssh", "gpg.ssh.allowedSignersFile": str(allowed)}

    def write(self, kind: str, data: bytes) -> str:
        content = f"{kind} {len(data)}\0".encode() + data
        name = hashlib.sha1(content, usedforsecurity=False).hexdigest()
        path = self.path / "objects" / name[:2] / name[2:]
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(zlib.compress(content, 1))
        return name

    def signer(self, raw: bytes) -> str | None:
        """The fingerprint of the key whose good signature git finds; None if it finds none."""
        config = [word for name, value in self._config.items() for word in ("-c", f"{name}={value}")]
        command = [
            "git",
            *config,
            f"--git-dir={self.path}",
            "verify-commit",
            "--raw",
            self.write("commit", raw),
        ]
        environment = {**os.environ, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null"}
        done = subprocess.run(command, capture_output=True, env=environment, check=False)
        if done.returncode:
            return None
        found = re.search(
            rb'Good "git" signature for \S+ with \S+ key (SHA256:\S+)', done.stderr + done.stdout
        )
        assert found, done.stderr
        return found[1].decode()


@pytest.fixture(scope="module")
def git(tmp_path_factory: pytest.TempPathFactory) -> Git:
    return Git(tmp_path_factory.mktemp("git"))


def judged(raw: bytes) -> tuple[str | None, Rejected | None]:
    """Our word: the key's fingerprint, or why there is none."""
    try:
        return key_that_signed(raw).fingerprint, None
    except Rejected as rejected:
        return None, rejected


def compare(git: Git, recipe: Recipe) -> str:
    """What the two said of it: `both`, `neither`, or the point in which we are stricter."""
    raw = made(recipe, git.tree, git.parent.encode())
    ours, why = judged(raw)
    theirs = git.signer(raw)
    if ours == theirs:
        return "both" if ours else "neither"
    assert ours is None, f"git finds no good signature by {ours}: {theirs}\n{raw!r}"
    assert why is not None
    said = f"{why.reason.value}: {why.detail}"
    points = [point for point, words in STRICTER.items() if re.search(words, said)]
    assert points, f"git takes it, and we say {said}\n{raw!r}"
    assert points[0] != "ed25519" or recipe.fields == "a larger S", said
    return points[0]


ODDITIES = [(part, name) for part, names in TABLES.items() for name in names]


@pytest.mark.parametrize(("part", "name"), ODDITIES, ids=lambda word: str(word))
@pytest.mark.rule(20)
def test_one_oddity_is_judged_as_git_does_or_by_a_stricter_point(git: Git, part: str, name: str) -> None:
    for key in (0, 1, 4):
        compare(git, plain(key=key, **{part: name}))


@pytest.mark.parametrize("digest", ["sha256", "sha512"])
def test_every_kind_of_key_is_judged_as_git_does_or_by_a_stricter_point(git: Git, digest: str) -> None:
    for number, key in enumerate(soft_keys()):
        said = compare(git, plain(key=number, digest=digest))
        assert (said == "both") == (number < GOOD_KEYS), key.name


@pytest.mark.rule(20)
def test_every_stricter_point_is_seen_and_stands_in_the_specification(git: Git) -> None:
    recipes = [plain(key=key, **{part: name}) for part, name in ODDITIES for key in (0, 1)]
    recipes += [plain(key=key) for key in range(len(soft_keys()))]
    said = {compare(git, recipe) for recipe in recipes}
    section = SPEC.read_text("utf-8").partition("## 3. ")[2].partition("\n## ")[0]
    written = set(re.findall(r"^\| `([a-z0-9]+)` \|", section, re.MULTILINE))
    assert said - {"both", "neither"} == set(STRICTER) == written


@settings(max_examples=int(os.environ.get("TNET_VERIFY_COMMITS", settings().max_examples)))
@given(recipe=recipes())
def test_signatures_are_judged_as_git_does_or_by_a_stricter_point(git: Git, recipe: Recipe) -> None:
    event(compare(git, recipe))


def test_what_git_cannot_sign_by_ssh_is_refused_by_name(git: Git) -> None:
    for begin, words in (
        (b"PGP SIGNATURE", "OpenPGP"),
        (b"PGP MESSAGE", "OpenPGP"),
        (b"SIGNED MESSAGE", "X.509"),
    ):
        raw = made(plain(), git.tree, git.parent.encode()).replace(b"SSH SIGNATURE", begin)
        _, why = judged(raw)
        assert why is not None and why.reason is Reason.UNSUPPORTED_SIGNATURE
        assert words in why.detail
