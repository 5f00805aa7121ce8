"""The parts of the agent that are pure or nearly so."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from reconciler.agent.backoff import LONGEST_DELAY_S, Backoff
from reconciler.agent.config import ConfigError, load_config
from reconciler.agent.lock import AlreadyRunning, NotPermitted, node_lock
from reconciler.agent.notify import notify
from reconciler.agent.status import Condition, Status, StatusUnavailable, read_status, write_status
from reconciler.agent.wake import STOP, Waker, local_repository, signals, watching
from reconciler.kernel.graph import Graph
from reconciler.kernel.objects import Namespace

CONFIG = """
node: paris/p1
remote: file:///srv/ledger.git
anchor: 0123456789abcdef0123456789abcdef01234567
rootKeys: ["SHA256:abc"]
"""


def test_config_has_defaults_for_all_that_is_not_a_matter_of_trust(tmp_path: Path) -> None:
    path = tmp_path / "agent.yaml"
    path.write_text(CONFIG)
    config = load_config(path)
    assert (config.node, config.branch, config.interval_seconds) == ("paris/p1", "main", 30.0)
    assert config.ledger_directory == Path("/var/lib/tnet/ledger.git")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (CONFIG + "colour: red\n", "colour"),
        (CONFIG.replace("paris/p1", "p1"), "node"),
        (CONFIG.replace("0123456789abcdef0123456789abcdef01234567", "main"), "anchor"),
        ("node: [", "agent.yaml"),
        ("", "agent.yaml"),
    ],
)
def test_a_bad_config_is_refused_by_the_name_of_the_field(tmp_path: Path, text: str, names: str) -> None:
    path = tmp_path / "agent.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=names):
        load_config(path)


def test_a_missing_config_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path / "agent.yaml")
    assert "tnet node config" in caught.value.advice


def test_two_agents_for_one_node_the_second_names_the_first(tmp_path: Path) -> None:
    with node_lock(tmp_path), pytest.raises(AlreadyRunning, match=str(os.getpid())), node_lock(tmp_path):
        pass


def test_whom_the_state_is_not_open_to_is_told_to_be_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", denied)
    with pytest.raises(NotPermitted) as caught, node_lock(tmp_path):
        pass
    assert "as root" in caught.value.advice


def test_the_lock_of_a_killed_agent_is_free(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib, time\n"
        "from reconciler.agent.lock import node_lock\n"
        "with node_lock(pathlib.Path(sys.argv[1])):\n"
        "    print('held', flush=True); time.sleep(60)\n"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(AlreadyRunning), node_lock(tmp_path):
            pass
    finally:
        holder.kill()
        holder.wait()
    with node_lock(tmp_path):
        pass


def test_backoff_grows_to_a_limit_and_a_new_desired_state_is_tried_at_once() -> None:
    one, two = Graph.of("net", ()), Graph.of("net", (Namespace("x"),))
    backoff = Backoff()
    delays = []
    for _ in range(12):
        backoff = backoff.failed("net", desired=one, now=0.0)
        delays.append(backoff.failures["net"].retry_at)
    assert delays[:3] == [1.0, 2.0, 4.0]
    assert delays[-1] == LONGEST_DELAY_S
    assert not backoff.due("net", desired=one, now=10.0)
    assert backoff.due("net", desired=two, now=10.0)
    assert backoff.due("other", desired=one, now=0.0)
    assert backoff.succeeded("net").due("net", desired=one, now=0.0)


def test_the_timer_keeps_within_its_jitter() -> None:
    assert Waker(0.01, jitter=lambda: 0.0).wait() == {"timer"}
    assert Waker(1000, jitter=lambda: 1.0).wait(at_most_s=0.0) == {"retry"}


def test_reasons_that_come_together_are_one_wake_up() -> None:
    waker = Waker(1000)
    waker.wake("push")
    waker.wake("push")
    waker.wake("SIGHUP")
    assert waker.wait() == {"push", "SIGHUP"}


def test_signals_wake_the_agent_and_handlers_are_put_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    waker = Waker(1000)
    with signals(waker):
        os.kill(os.getpid(), signal.SIGHUP)
        assert waker.wait() == {"SIGHUP"}
        os.kill(os.getpid(), signal.SIGTERM)
        assert waker.wait() == {STOP}
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize(
    ("remote", "path"),
    [
        ("file:///srv/a%20b.git", Path("/srv/a b.git")),
        ("/srv/a.git", Path("/srv/a.git")),
        ("ssh://git@host/a.git", None),
        ("https://host/a.git", None),
        ("git@host:a.git", None),
    ],
)
def test_only_a_local_remote_is_watched(remote: str, path: Path | None) -> None:
    assert local_repository(remote) == path


def test_a_push_into_a_local_repository_wakes_the_agent(tmp_path: Path) -> None:
    work, bare = tmp_path / "work", tmp_path / "bare.git"
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", "init", "-q", "--bare", str(bare)], check=True)
    subprocess.run([*git, "init", "-q", "-b", "main", str(work)], check=True)
    subprocess.run([*git, "-C", str(work), "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    waker = Waker(1000)
    with watching(bare, waker):
        pusher = threading.Thread(target=_push_until, args=(git, work, bare, waker))
        pusher.start()
        assert waker.wait(at_most_s=20) == {"push"}
        pusher.join()


def _push_until(git: list[str], work: Path, bare: Path, waker: Waker) -> None:
    """One push, and another if the watch was not up yet when the first landed."""
    for number in range(20):
        subprocess.run(
            [*git, "-C", str(work), "push", "-q", str(bare), f"HEAD:refs/heads/b{number}"], check=True
        )
        if threading.Event().wait(0.2) or not waker._reasons.empty():
            return


def test_status_is_replaced_whole_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "run" / "status.json"
    status = Status(
        node="paris/p1",
        pid=7,
        time="2026-01-01T00:00:00Z",
        passes=3,
        node_conditions=(Condition(type="Accepted", status=True, reason="Judged"),),
    )
    write_status(status, path)
    assert read_status(path) == status
    assert read_status(path).ready
    assert [item.name for item in path.parent.iterdir()] == ["status.json"]


def test_a_corrupt_status_is_reported_not_a_traceback(tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    with pytest.raises(StatusUnavailable, match="no agent"):
        read_status(path)
    path.write_text("{half")
    with pytest.raises(StatusUnavailable, match="can't be read"):
        read_status(path)


def test_the_service_manager_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notify("READY=1")  # nobody listens: nothing happens
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(address)
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        notify("READY=1", "STATUS=up")
        assert listener.recv(100) == b"READY=1\nSTATUS=up"
