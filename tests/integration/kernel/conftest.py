"""A node of its own for every test: its own network namespace, and its own /run with the named ones."""

from __future__ import annotations

import ctypes
import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.kernel.linux import LinuxTransport
from reconciler.kernel.linux.inside import inside_new
from reconciler.kernel.linux.scratch import kernel_has_wireguard
from reconciler.kernel.linux.syscalls import setns
from reconciler.kernel.linux.transport import WireGuardKind
from reconciler.kernel.netlink_kernel import NetlinkKernel
from reconciler.kernel.objects import Namespace
from reconciler.services.wireguard_go import WireGuardGo
from tests.integration.kernel.keys import Keys
from tests.integration.kernel.mesh import Mesh, until
from tests.integration.kernel.operations import NAT, NS, add, done, run

CLONE_NEWNS = 0x20000


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Path]:
    """The calling thread is in a network and a mount namespace of its own; yields a run directory."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    with _own_mounts(), inside_new():
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        yield tmp_path / "run"


@pytest.fixture
def wireguard_kind() -> WireGuardKind | None:
    """None: whichever this kernel makes. Tests of one kind override it."""
    return None


@pytest.fixture
def transport(machine: Path, wireguard_kind: WireGuardKind | None) -> Iterator[LinuxTransport]:
    if wireguard_kind == "kernel" and not kernel_has_wireguard():
        pytest.skip("this kernel has no WireGuard")
    daemons = WireGuardGo(machine / "wireguard")
    found = LinuxTransport(daemons, wireguard_kind)
    yield found
    for device in daemons.running():
        daemons.stop(device)
    for name in found.namespaces():
        found.namespace_delete(name)
    found.close()


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture
def kernel(transport: LinuxTransport, keys: Keys) -> NetlinkKernel:
    return NetlinkKernel(transport, keys)


@pytest.fixture
def home(kernel: NetlinkKernel) -> NetlinkKernel:
    """A kernel that has our namespace and the node's NAT namespace."""
    done(kernel.execute(add(Namespace(NS)) + add(Namespace(NAT), owner="node")))
    return kernel


@pytest.fixture
def underlay(home: NetlinkKernel) -> NetlinkKernel:
    """... and a foreign link `fast0` in the node's own namespace."""
    run("ip", "link", "add", "fast0", "type", "veth", "peer", "name", "fast1")
    run("ip", "address", "add", "10.99.0.1/24", "dev", "fast0")
    run("ip", "link", "set", "fast0", "up")
    return home


@pytest.fixture
def mesh(kernel: NetlinkKernel, keys: Keys) -> Mesh:
    return Mesh(kernel, keys)


class _own_mounts:
    """Mount namespaces are a thread's own too, once it has stopped sharing its root and directory."""

    def __enter__(self) -> None:
        self._origin = os.open("/proc/thread-self/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
        self._directory = Path.cwd()
        libc = ctypes.CDLL(None, use_errno=True)
        assert libc.unshare(CLONE_NEWNS) == 0, os.strerror(ctypes.get_errno())
        subprocess.run(["mount", "--make-rprivate", "/"], check=True)
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)

    def __exit__(self, *_: object) -> None:
        assert until(self._is_back), "another thread shares this one's root directory"
        os.chdir(self._directory)
        os.close(self._origin)

    def _is_back(self) -> bool:
        """A thread that was joined lives a moment longer, and shares our root until then: EINVAL."""
        try:
            setns(self._origin, CLONE_NEWNS)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            return False
        return True
