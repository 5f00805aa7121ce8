"""The processes that work ahead of the judge: what they are given to run, and what their death means."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.ledger.chain import ahead
from reconciler.ledger.repository.conversation import Conversation
from reconciler.ledger.repository.runner import Runner
from reconciler.ledger.trouble import Damaged
from tests.integration.ledger.world import Forge, World

REPOSITORY = Path(__file__).parents[3]
TRAPS = ("pickle.py", "msgspec.py", "reconciler/__init__.py", "reconciler/ledger/chain/ahead_process.py")
ASK = """
from reconciler.ledger.chain import ahead
ahead.LONG = 0
with ahead.processes(1) as ask:
    assert ask is not None
    (found,) = ask(ahead.Task(commits=[b"no commit"])).result(60).signers
    assert found[0] == "malformed-commit", found
"""


@pytest.mark.rule(21)
def test_nothing_in_a_persons_work_tree_is_run(tmp_path: Path) -> None:
    """Outside of the governed paths the forge may put anything into it; people stand in it."""
    for trap in TRAPS:
        path = tmp_path / trap
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"open({str(tmp_path / 'sprung')!r}, 'a').write(__name__)\nraise SystemExit\n")
    start = f"import sys; sys.path[:] = [{str(REPOSITORY)!r}, *sys.path[1:], '', {str(tmp_path)!r}]\n"
    done = subprocess.run(
        [sys.executable, "-P", "-c", start + ASK], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert not (tmp_path / "sprung").exists()
    assert done.returncode == 0, done.stderr


@pytest.fixture
def helpers(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """The processes that `ahead` starts, of which it always does."""
    started: list[subprocess.Popen[bytes]] = []
    monkeypatch.setattr(ahead, "LONG", 0)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1})
    init = ahead._Helper.__init__

    def noted(helper: ahead._Helper) -> None:
        init(helper)
        started.append(helper._process)

    monkeypatch.setattr(ahead._Helper, "__init__", noted)
    return started


@pytest.mark.parametrize("long", [False, True])
def test_helpers_that_are_killed_are_done_without(helpers: list[subprocess.Popen[bytes]], long: bool) -> None:
    """Also where one dies with a task half sent to it: what it would have found is found without it."""
    commits = [b"x" * 100_000] * (50 if long else 1)
    with ahead.processes(1) as ask:
        assert ask is not None
        for helper in helpers:
            os.kill(helper.pid, signal.SIGKILL)
        answers = [ask(ahead.Task(commits=commits)) for _ in range(4)]
        assert all(answer.result(60) == ahead.Findings() for answer in answers)
    assert all(helper.poll() is not None for helper in helpers)


@pytest.mark.parametrize("cut", [0, 4, 8, 9, 40, -1])
def test_an_answer_that_ends_in_the_middle_is_none(cut: int) -> None:
    """Whatever part of it has come before its maker died."""
    whole = io.BytesIO()
    ahead.send(whole, ahead.Findings(signers=[b"x" * 100]))
    assert ahead.receive(io.BytesIO(whole.getvalue())) is not None
    assert ahead.receive(io.BytesIO(whole.getvalue()[:cut])) is None


def test_a_history_is_judged_alike_where_all_helpers_die(
    world: World, helpers: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = world.new_ledger("other")
    asked = ahead._Helper.ask

    def killed(helper: ahead._Helper, task: ahead.Task) -> ahead.Findings:
        os.kill(helper._process.pid, signal.SIGKILL)
        return asked(helper, task)

    monkeypatch.setattr(ahead._Helper, "ask", killed)
    try:
        assert other.sync().verdicts == world.ledger.judge_local().verdicts
    finally:
        other.close()
    assert helpers


def test_a_git_that_was_killed_means_damage_not_a_broken_pipe(tmp_path: Path) -> None:
    """The kernel may choose it when memory is short."""
    forge = Forge(tmp_path / "forge.git")
    conversation = Conversation(Runner(forge.path), "cat-file", "--batch")
    try:
        os.kill(conversation._process.pid, signal.SIGKILL)
        conversation._process.wait()
        with pytest.raises(Damaged):
            conversation.ask(b"x" * 20_000 + b"\n")
            conversation.line()
    finally:
        conversation.close()
