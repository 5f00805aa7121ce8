"""A process that was written down is told from a later one with its number."""

from __future__ import annotations

import subprocess

from msgspec.structs import replace

from reconciler.lab.process import ProcessId, kill


def sleeper() -> subprocess.Popen[bytes]:
    return subprocess.Popen(["sleep", "1000"])


def test_a_running_process_is_alive_until_it_is_killed() -> None:
    child = sleeper()
    known = ProcessId.of(child.pid)
    assert known.alive
    assert kill(known)
    assert not known.alive
    child.wait()


def test_another_process_with_the_same_number_is_let_be() -> None:
    child = sleeper()
    known = ProcessId.of(child.pid)
    earlier = replace(known, start_ticks=known.start_ticks - 1)
    assert not earlier.alive
    assert kill(earlier)
    assert known.alive
    child.kill()
    child.wait()


def test_a_process_of_an_earlier_boot_is_gone() -> None:
    child = sleeper()
    assert not replace(ProcessId.of(child.pid), boot="another").alive
    child.kill()
    child.wait()


def test_one_that_waits_to_be_reaped_has_ended() -> None:
    child = sleeper()
    known = ProcessId.of(child.pid)
    child.kill()
    kill(known)
    assert not known.alive
    child.wait()
