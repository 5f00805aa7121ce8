"""The probe says what is true of the kernel it runs on, and what to do about what is missing."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from reconciler.kernel import probe as module
from reconciler.kernel.probe import probe
from reconciler.kernel.transport import Ack


def kernel_makes(kind: str, *words: str) -> bool:
    """By `ip`, in the test's own namespace."""
    command = ["ip", "link", "add", "try0", "type", kind, *words]
    return subprocess.run(command, capture_output=True).returncode == 0


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize(
    "words", [["bridge"], ["veth"], ["vxlan", "id", "1", "dstport", "4789"], ["vrf", "table", "10"]]
)
def test_links_are_found_as_ip_finds_them(words: list[str]) -> None:
    found = probe()[words[0]]
    assert found.available == kernel_makes(*words)
    assert found.available == (not found.reason)


@pytest.mark.usefixtures("machine")
def test_wireguard_is_the_kernels_or_the_programs_or_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    in_kernel = kernel_makes("wireguard")
    found = probe()["wireguard"]
    if in_kernel:
        assert found.variant == "kernel"
        return
    assert found.available == (shutil.which("wireguard-go") is not None)
    monkeypatch.setenv("PATH", "/nonexistent")
    found = probe()["wireguard"]
    assert not found.available
    assert found.advice == "install the Debian package wireguard-go"


@pytest.mark.usefixtures("machine")
def test_nothing_of_a_trial_stays() -> None:
    before = subprocess.run(["ip", "link"], capture_output=True, check=True).stdout
    assert not [item.name for item in probe().missing if item.name in ("namespaces", "bridge", "veth")]
    assert subprocess.run(["ip", "link"], capture_output=True, check=True).stdout == before


def test_without_permission_everything_is_missing_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(module, "scratch_namespace", refuse)
    missing = probe().missing
    assert {item.name for item in missing} >= {"namespaces", "bridge", "wireguard", "nftables", "tun"}
    assert all("root" in item.advice and item.reason for item in missing)


@pytest.mark.usefixtures("machine")
def test_a_kind_the_kernel_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "try_link", lambda *_: Ack(95, "Unknown device type"))
    found = probe()["vxlan"]
    assert (found.available, "Unknown device type" in found.reason) == (False, True)
    assert "modprobe vxlan" in found.advice
