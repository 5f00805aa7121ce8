"""Every seed passes its target, and a short run under atheris finds nothing.

A longer run, of one target: `python -m property_tests.fuzz.run commit -max_total_time=300 DIRECTORY`.
TNET_FUZZ_SECONDS says how long each runs here (default 5).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from property_tests.fuzz import make_corpora
from property_tests.fuzz.receipt_target import ANCHOR
from property_tests.fuzz.run import HERE, TARGETS, load
from property_tests.fuzz.sshsig_target import MESSAGE
from property_tests.fuzz.tree_target import SEPARATOR
from reconciler.ledger.checkpoints import checkpoint, state_file
from reconciler.ledger.judging import content
from reconciler.ledger.judging.signing import key_that_signed
from reconciler.ledger.repository.descent import entries
from reconciler.ledger.repository.objects import CommitMalformed, parse_commit
from reconciler.ledger.signatures import sshsig
from reconciler.ledger.signatures.sshsig import SignatureRefused
from reconciler.ledger.trouble import Damaged
from reconciler.records import receipt, receipt_check
from tests.unit.ledger.openssh import armor

ROOT = Path(__file__).parents[2]
SECONDS = int(os.environ.get("TNET_FUZZ_SECONDS", "5"))
SLACK_S = 60
"""For imports, instrumentation and reading the seeds, on a busy machine."""


def seeds(target: str) -> list[Path]:
    return sorted((HERE / "corpora" / target).iterdir())


@pytest.mark.parametrize(
    "seed", [s for t in TARGETS for s in seeds(t)], ids=lambda s: f"{s.parent.name}-{s.name}"
)
def test_every_seed_passes(seed: Path) -> None:
    load(seed.parent.name)(seed.read_bytes())


@pytest.mark.parametrize("target", TARGETS)
def test_the_seeds_are_those_that_the_script_makes(target: str) -> None:
    made = set(make_corpora.SEEDS[target]())
    assert made <= {seed.name for seed in seeds(target)}, "run: python -m property_tests.fuzz.make_corpora"


def test_seeds_reach_to_the_end_of_what_they_are_for() -> None:
    """Or the fuzzer would begin at the door."""
    commits = HERE / "corpora" / "commit"
    for name in ("signed", "by-a-token"):
        key_that_signed((commits / name).read_bytes())
    by_rsa = ("rsa-2048-rsa-sha2-256", "rsa-3072-rsa-sha2-512")
    for name in ("ed25519", "ecdsa-sha2-nistp521", *by_rsa, "token", "token-ecdsa", "browser"):
        sshsig.verify((HERE / "corpora" / "sshsig" / name).read_bytes(), MESSAGE)
    for name in ("trust-policy", "tenants-ac-acme-tenant", "tenants-ac-acme-networks-web"):
        path, _, text = (HERE / "corpora" / "document" / name).read_bytes().partition(b"\n")
        content.read(path.decode(), text)
    for name in ("empty", "whole"):
        state_file.decode((HERE / "corpora" / "state" / name).read_bytes())
    for name in ("bought", "ended", "granted"):
        receipt_check.check(receipt.parse((HERE / "corpora" / "receipt" / name).read_bytes()), ANCHOR)
    for name in ("witness", "snapshot"):
        signed = checkpoint.parse((HERE / "corpora" / "checkpoint" / name).read_bytes())
        assert signed.signed.keys(checkpoint.NAMESPACE)


@pytest.mark.parametrize("seed", seeds("commit"), ids=lambda seed: seed.name)
@pytest.mark.rule(20)
def test_git_reads_every_commit_that_is_read_here(tmp_path: Path, seed: Path) -> None:
    """git checks the form of what it is given to hash (`hash-object` without `--literally`)."""
    try:
        parse_commit(seed.read_bytes())
    except CommitMalformed:
        return
    subprocess.run(["git", "init", "-q", "--bare", str(tmp_path)], check=True)
    command = ["git", f"--git-dir={tmp_path}", "hash-object", "-t", "commit", str(seed)]
    subprocess.run(command, check=True, capture_output=True)


@pytest.mark.parametrize("seed", seeds("sshsig"), ids=lambda seed: seed.name)
def test_ssh_keygen_takes_every_signature_that_is_taken_here(tmp_path: Path, seed: Path) -> None:
    data = seed.read_bytes()
    armored = data if data.startswith(b"-----") else armor(data)
    try:
        sshsig.verify(armored, MESSAGE)
    except SignatureRefused:
        return
    (tmp_path / "signature").write_bytes(armored)
    command = ["ssh-keygen", "-Y", "check-novalidate", "-n", "git", "-s", str(tmp_path / "signature")]
    subprocess.run(command, input=MESSAGE, check=True, capture_output=True)


@pytest.mark.parametrize("seed", seeds("tree"), ids=lambda seed: seed.name)
def test_git_lists_every_tree_as_it_is_read_here(tmp_path: Path, seed: Path) -> None:
    git = ["git", f"--git-dir={tmp_path}"]
    subprocess.run(["git", "init", "-q", "--bare", str(tmp_path)], check=True)
    write = [*git, "hash-object", "-w", "--literally", "-t", "tree", "--stdin"]
    for raw in seed.read_bytes().split(SEPARATOR):
        try:
            read = list(entries(raw))
        except Damaged:
            continue
        name = subprocess.run(write, input=raw, check=True, capture_output=True).stdout.decode().strip()
        listed = subprocess.run([*git, "ls-tree", "-z", name], check=True, capture_output=True).stdout
        lines = [line.split(b"\t", 1) for line in listed.split(b"\0")[:-1]]
        assert [(head.split()[0], head.split()[2], name) for head, name in lines] == [
            (each.entry.mode.encode(), each.entry.id.encode(), each.name) for each in read
        ]


@pytest.mark.skipif(
    find_spec("atheris") is None,
    reason="atheris isn't installed (there are no wheels for every Python): pip install 'tnet[fuzz]'",
)
@pytest.mark.parametrize("target", TARGETS)
def test_a_short_run_finds_nothing(tmp_path: Path, target: str) -> None:
    corpus = tmp_path / "corpus"
    shutil.copytree(HERE / "corpora" / target, corpus)
    command = [sys.executable, "-m", "property_tests.fuzz.run", target, f"-max_total_time={SECONDS}"]
    done = subprocess.run(
        [*command, f"-artifact_prefix={tmp_path}/", str(corpus)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS + SLACK_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    found = re.search(r"Done (\d+) runs", done.stderr)
    assert found and int(found[1]) > len(seeds(target)), done.stderr[-1000:]
