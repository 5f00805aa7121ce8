"""The lab itself: machines that leave nothing behind, whatever happens to who started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.lab.demo.report import Report
from reconciler.lab.errors import LabError
from reconciler.lab.footprint import changes_since, exposed, footprint, population, survivors
from reconciler.lab.lab import Lab, down, find, up
from reconciler.lab.observe import Source, differences, probe_until, snapshots
from reconciler.lab.record import Record

pytestmark = pytest.mark.lab

NewRecord = Callable[[], Record]
OUTSIDE = ("203.0.113.10", "2001:db8:ffff::10")


def tnet_lab(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "reconciler.cli.main", "lab", *arguments]


def wait_for(condition: Callable[[], bool], what: str, timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {timeout_s} s"
        time.sleep(0.02)


def carrier_is_up(lab: Lab) -> list[int]:
    """Wait until every node's wires carry (the kernel takes up to a second); how many addresses answer."""
    asked = [(Source(node.name, node), OUTSIDE) for node in lab.nodes]
    heard = probe_until(asked, [len(OUTSIDE)] * len(asked), "icmp")
    return [len(answers) for answers in heard]


def test_every_node_reaches_the_outside_and_nobody_sees_the_lab(new_record: NewRecord) -> None:
    before = footprint()
    lab = up(new_record())
    assert changes_since(before) == ()
    assert carrier_is_up(lab) == [2, 2, 2, 2]


def test_after_down_nothing_is_left(new_record: NewRecord) -> None:
    before = footprint()
    lab = up(new_record())
    lab.machine("p1").output(["ip", "netns", "add", "tnet-left"])
    assert exposed(lab) == ()
    lived = population(lab)
    assert len(lived.processes) == len(lab.machines)
    down(lab.record)
    assert survivors(lived) == ()
    assert changes_since(before) == ()
    assert not lab.record.exists


def test_two_labs_live_side_by_side(new_record: NewRecord) -> None:
    one, two = up(new_record()), up(new_record())
    one.machine("p1").output(["ip", "netns", "add", "only-one"])
    assert "only-one" not in two.machine("p1").output(["ip", "netns"])
    down(one.record)
    assert find(two.record).machine("l2").output(["hostname"]) == "l2\n"


def test_a_name_is_taken_once(new_record: NewRecord) -> None:
    lab = up(new_record())
    with pytest.raises(LabError, match="there is a lab"):
        up(lab.record)
    assert find(lab.record).machines.keys() == lab.machines.keys()


def test_a_demo_under_a_name_that_is_taken_leaves_that_lab_alone(new_record: NewRecord) -> None:
    lab = up(new_record())
    demo = subprocess.run(tnet_lab("demo", "--name", lab.record.name), capture_output=True, text=True)
    assert demo.returncode == 1
    assert f"there is a lab {lab.record.name} already" in demo.stderr
    assert find(lab.record).machine("p1").output(["hostname"]) == "p1\n"


def test_what_starts_in_a_machine_ends_with_it(new_record: NewRecord) -> None:
    lab = up(new_record())
    lab.machine("p1").output(["sh", "-c", "setsid --fork sleep 1000 > /dev/null 2>&1"])
    lived = population(lab)
    down(lab.record)
    assert survivors(lived) == ()


def test_a_node_has_directories_of_its_own(new_record: NewRecord) -> None:
    lab = up(new_record())
    lab.machine("p1").output(
        ["sh", "-c", "echo mine > /etc/tnet/x; echo mine > /run/x; mkdir /var/lib/tnet/x"]
    )
    assert lab.machine("p2").run(["ls", "/etc/tnet/x"]).returncode != 0
    assert lab.machine("p2").run(["ls", "/run/x"]).returncode != 0
    assert not Path("/run/x").exists()
    assert not Path("/etc/tnet/x").exists()


def test_a_snapshot_shows_what_was_changed_and_where(new_record: NewRecord) -> None:
    lab = up(new_record())
    carrier_is_up(lab)
    before = snapshots(lab.nodes)
    assert differences(before, snapshots(lab.nodes)) == ()
    lab.machine("p2").output(["ip", "route", "add", "10.66.0.0/16", "via", "192.0.2.1"])
    (line,) = differences(before, snapshots(lab.nodes))
    assert line.startswith("p2 node: routes: +") and "10.66.0.0/16" in line


def test_a_lab_whose_starter_was_killed_can_be_taken_down(new_record: NewRecord) -> None:
    before, record = footprint(), new_record()
    demo = subprocess.Popen(tnet_lab("demo", "--name", record.name), stdout=subprocess.DEVNULL)
    wait_for(lambda: len(record.processes()) >= 3, "three machines are up")
    demo.kill()
    demo.wait()
    subprocess.run(tnet_lab("down", "--name", record.name), check=True, stdout=subprocess.DEVNULL)
    assert not any(process.alive for process in record.processes().values())
    assert not leftovers(record)
    assert changes_since(before) == ()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_clears_up(new_record: NewRecord, tmp_path: Path, number: signal.Signals) -> None:
    before, record = footprint(), new_record()
    with (tmp_path / "transcript").open("w") as transcript:
        demo = subprocess.Popen(tnet_lab("demo", "--name", record.name), stdout=transcript, stderr=transcript)
        wait_for(lambda: len(record.processes()) == 8, "the machines are up")
        demo.send_signal(number)
        code = demo.wait(timeout=30)
    assert code != 0
    assert not record.exists, (tmp_path / "transcript").read_text()
    assert not leftovers(record)
    assert changes_since(before) == ()


def leftovers(record: Record) -> list[str]:
    """Processes that were started for this lab: all carry its directory as an argument."""
    marker = f"{record.directory}\0".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if marker in path.read_bytes():
                found.append(path.parent.name)
        except OSError:
            continue
    return found


def test_a_machine_that_was_never_told_to_go_on_ends(new_record: NewRecord) -> None:
    """As when its starter dies between making it and writing its id down."""
    from reconciler.lab.machine import program

    record = new_record()
    record.create()
    record.prepare_machine("p1")
    starter = subprocess.Popen(
        program("init", str(record.directory), "p1"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert starter.stdin is not None and starter.stdout is not None
    lines = {starter.stdout.readline(), starter.stdout.readline()}
    assert "ready\n" in lines
    starter.stdin.close()
    starter.wait()
    wait_for(lambda: not leftovers(record), "the machine has ended")
    starter.stdout.close()


def test_a_broken_lab_says_so(new_record: NewRecord) -> None:
    lab: Lab = up(new_record())
    os.kill(lab.machine("l2").process.pid, signal.SIGKILL)
    wait_for(lambda: not lab.machine("l2").process.alive, "l2 has ended")
    with pytest.raises(LabError, match="not running: l2"):
        find(lab.record)
    down(lab.record)
    assert not lab.record.exists


def test_a_report_with_nothing_in_it_is_no_success() -> None:
    assert not Report().ok
