"""What is measured of the ledger, each apart: `python -m benchmarks.ledger_contenders NAME DIRECTORY`.

judge      the ledger judged by a node that has just cloned it, which is then started anew (`restart`)
bare       the same signatures verified, commits compared by git, documents parsed, and nothing else
git        `git verify-commit` on a sample
increment  one new commit at a time, for a node that runs
poll       fetches that bring nothing
"""

from __future__ import annotations

import base64
import json
import pickle
import resource
import shlex
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.ledger_history import ROOT, History, Made, Signer, change, publish, tenant_name
from benchmarks.world import run_module
from reconciler.ledger.config import LedgerConfig
from reconciler.ledger.ledger import Ledger
from reconciler.ledger.repository.objects import CommitId, parse_commit
from reconciler.ledger.repository.runner import Runner
from reconciler.ledger.repository.store import Edge, Store
from reconciler.ledger.signatures import sshsig
from reconciler.ledger.signatures.keys import CryptographyKey, from_text
from reconciler.ledger.signatures.proof import NAMESPACE, message
from reconciler.model.documents import Tenant
from reconciler.model.loader import load

SAMPLE = 100
"""Commits given to `git verify-commit`."""
CHANGES = 20
"""New commits, one at a time; the medians count."""
POLLS = 10
_DIFF = ("diff-tree", "--stdin", "-r", "-z", "--raw", "--no-renames", "--no-abbrev")
Figures = dict[str, float]


class Stopwatch:
    """Wall time of what runs under it, and processor time, of this process and of children that ended."""

    def __init__(self) -> None:
        self.wall_s = self.own_cpu_s = self.children_cpu_s = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        wall, own, children = time.perf_counter(), time.process_time(), _children_cpu_s()
        yield
        self.wall_s = time.perf_counter() - wall
        self.own_cpu_s = time.process_time() - own
        self.children_cpu_s = _children_cpu_s() - children


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class Commands:
    """Counts the processes that this one starts."""

    def __init__(self) -> None:
        self.count = 0
        sys.addaudithook(self._heard)

    def _heard(self, event: str, _: tuple[Any, ...]) -> None:
        self.count += event == "subprocess.Popen"


def node(made: Made, directory: Path, **settings: Any) -> Ledger:
    values = {"remote": str(made.forge), **settings}
    return Ledger(
        LedgerConfig(
            branch="main",
            anchor=made.anchor.commit,
            root_fingerprints=made.anchor.root_fingerprints,
            directory=directory,
            **values,
        )
    )


def judge(made: Made, directory: Path) -> Figures:
    ledger, fetching, judging = node(made, directory / "node"), Stopwatch(), Stopwatch()
    with fetching.running():
        ledger._clone.fetch()
    before = _peak_mb()
    with judging.running():
        view = ledger.judge_local()
    ledger.close()
    peak = _peak_mb()
    again = run_module("benchmarks.ledger_contenders", "restart", str(directory.parent), directory.name)
    refused = [verdict for verdict in view.verdicts if not verdict.accepted]
    if refused or len(view.verdicts) != made.commits + 1:
        raise SystemExit(f"the made history isn't accepted: {refused[:1]}")
    return {
        "fetch": fetching.wall_s,
        "judge": judging.wall_s,
        "judge cpu": judging.own_cpu_s + judging.children_cpu_s,
        "restart": again["restart"],
        "memory": peak,
        "memory before": before,
    }


def restart(made: Made, directory: Path) -> Figures:
    """Of the node that another contender has left behind."""
    ledger, starting = node(made, directory / "node"), Stopwatch()
    with starting.running():
        ledger.judge_local()
    ledger.close()
    return {"restart": starting.wall_s}


Signed = tuple[CryptographyKey, bytes, bytes]


def bare(made: Made, directory: Path) -> Figures:
    store = Store(Runner(made.forge))
    tip = store.resolve("refs/heads/main")
    assert tip is not None
    steps = store.first_parents(tip, made.anchor.commit) or ()
    commits = [step.commit for step in steps]
    signed = [_signed(raw) for raw in store.commits(commits)]
    listed = store.listings([Edge(step.parents[0], step.commit) for step in steps])
    documents = [
        (change.path.decode(), change.new.id) for each in listed for change in each or () if change.new
    ]
    contents = store.blobs([name for _, name in documents], 1 << 20)
    files = [(path, data) for (path, _), data in zip(documents, contents, strict=True) if data is not None]
    signed += [each for path, data in files for each in _proofs(path, data)]
    store.close()
    _forget_documents()
    return {
        "verify": _timed(lambda: [key.verify(value, data) for key, value, data in signed]),  # type: ignore[call-arg]
        "diff": _timed(lambda: _compare(made.forge, commits)),
        "parse": _timed(lambda: [load(path, data) for path, data in files]),
        "signatures": len(signed),
    }


def _timed(what: Callable[[], object]) -> float:
    begin = time.perf_counter()
    what()
    return time.perf_counter() - begin


def _signed(raw: bytes) -> Signed:
    commit = parse_commit(raw)
    assert commit.signature is not None
    signature = sshsig.parse(sshsig.dearmor(commit.signature))
    return signature.key.usable, signature.value, signature.signed_data(commit.payload)


def _proofs(path: str, data: bytes) -> Iterator[Signed]:
    document = load(path, data)
    if isinstance(document, Tenant):
        for item in document.spec.proofs:
            signature = sshsig.parse(base64.b64decode(item.signature))
            assert signature.namespace == NAMESPACE
            text = message(document.metadata.name)
            yield from_text(item.key).usable, signature.value, signature.signed_data(text)


def _forget_documents() -> None:
    from reconciler.model import loader

    loader._cache.clear()


def _compare(forge: Path, commits: list[CommitId]) -> None:
    command = ["git", f"--git-dir={forge}", *_DIFF]
    subprocess.run(command, input="\n".join(commits).encode(), stdout=subprocess.DEVNULL, check=True)


def git(made: Made, directory: Path) -> Figures:
    """With all keys of the ledger in the allowed signers file, as it takes to verify any commit of it, and
    with those of the sample alone: ssh-keygen reads the file from the front."""
    listed = _git(made.forge, "rev-list", "--first-parent", "main", f"^{made.anchor.commit}").split()
    sample = listed[:: max(1, len(listed) // SAMPLE)][:SAMPLE]
    store, allowed = Store(Runner(made.forge)), directory / "allowed_signers"
    raws = store.commits([CommitId(name) for name in sample])
    store.close()
    signatures = (sshsig.parse(sshsig.dearmor(parse_commit(raw).signature or b"")) for raw in raws)
    sampled = dict.fromkeys(each.key.text for each in signatures)
    everybody = [Signer(name).key.text for name in (ROOT, *map(tenant_name, range(made.tenants)))]

    def verify() -> None:
        for name in sample:
            _git(made.forge, "-c", f"gpg.ssh.allowedSignersFile={allowed}", "verify-commit", name)

    found: Figures = {}
    for what, listed in (("all keys", everybody), ("few keys", list(sampled))):
        allowed.write_text("".join(f"* {text}\n" for text in listed))
        found[what] = _timed(verify) / len(sample)
    return found


def _git(forge: Path, *arguments: str) -> str:
    command = ["git", f"--git-dir={forge}", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def increment(made: Made, directory: Path) -> Figures:
    history: History = pickle.loads((directory.parent / "history.pickle").read_bytes())
    ledger, commands, watches, counts = node(made, directory / "node"), Commands(), [], []
    ledger.sync()
    for number in range(CHANGES + 1):
        history.commit(change(number % made.tenants, made.commits + number))
        publish(made.forge, history)
        watch, before = Stopwatch(), commands.count
        with watch.running():
            view = ledger.sync()
        assert view.tip == history.tip and view.verdicts[-1].accepted
        watches.append(watch)
        counts.append(commands.count - before)
    ledger.close()
    later = watches[1:]  # The first starts the processes that are kept.
    return {
        "wall": statistics.median(watch.wall_s for watch in later),
        "own cpu": statistics.median(watch.own_cpu_s for watch in later),
        "commands": statistics.median(counts[1:]),
    }


def poll(made: Made, directory: Path) -> Figures:
    """Over a stand-in for ssh that runs what it is told and counts what comes back."""
    counted = directory / "counted"
    relay = f"{shlex.quote(sys.executable)} -m benchmarks.relay {shlex.quote(str(counted))}"
    ledger = node(made, directory / "node", remote=f"ssh://bench{made.forge}", ssh_command=relay)
    ledger.sync()
    counted.unlink()
    commands = Commands()
    begin = time.perf_counter()
    for _ in range(POLLS):
        ledger.sync()
    wall_s = time.perf_counter() - begin
    ledger.close()
    down = [int(line) for line in counted.read_text().split()]
    assert len(down) == POLLS
    return {"bytes": statistics.median(down), "commands": commands.count / POLLS, "wall": wall_s / POLLS}


CONTENDERS: dict[str, Callable[[Made, Path], Figures]] = {
    each.__name__: each for each in (judge, restart, bare, git, increment, poll)
}


def main() -> None:
    name, directory = sys.argv[1], Path(sys.argv[2])
    made: Made = pickle.loads((directory / "made.pickle").read_bytes())
    place = directory / (sys.argv[3] if len(sys.argv) > 3 else name)
    place.mkdir(exist_ok=True)
    print(json.dumps(CONTENDERS[name](made, place)))


if __name__ == "__main__":
    main()
