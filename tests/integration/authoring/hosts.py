"""Two hosts on one wire: each a network and mount namespace with its own /run, held by a process."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_PREPARE = (
    "mount -t tmpfs tmpfs /run && mount -t sysfs sysfs /sys && ip link set lo up && echo ready && exec cat"
)


@dataclass(frozen=True)
class Host:
    """`holder` keeps the namespaces; `config` stands for /etc/tnet/agent.yaml, `state` for /var/lib/tnet."""

    name: str
    holder: int
    config: Path
    state: Path

    def run(self, *words: str, code: int = 0) -> str:
        """Run a command on the host; its exit code must be `code`."""
        enter = ["nsenter", "--net", "--mount", "-t", str(self.holder)]
        done = subprocess.run(
            [*enter, *words],
            env={**os.environ, "TNET_CONFIG": str(self.config)},
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=60,
        )
        assert done.returncode == code, f"{self.name}: {' '.join(words)}\n{done.stdout}\n{done.stderr}"
        return done.stdout


@contextmanager
def host(name: str, directory: Path) -> Iterator[Host]:
    """A host without a link; all of it goes with the process that holds it."""
    holder = subprocess.Popen(
        ["unshare", "--net", "--mount", "--propagation", "private", "sh", "-c", _PREPARE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    try:
        assert holder.stdout.readline() == b"ready\n"
        yield Host(name, holder.pid, directory / f"{name}-agent.yaml", directory / f"{name}-state")
    finally:
        holder.stdin.close()  # `cat` ends
        holder.stdout.close()
        holder.wait()


@contextmanager
def two_hosts(directory: Path) -> Iterator[tuple[Host, Host]]:
    """h1 (203.0.113.1) and h2 (203.0.113.2), each with its end of a cable as eth0 and default route."""
    with host("h1", directory) as first, host("h2", directory) as second:
        first.run(
            *["ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns"],
            str(second.holder),
        )
        for number, each in enumerate((first, second), start=1):
            each.run("ip", "address", "add", f"203.0.113.{number}/24", "dev", "eth0")
            each.run("ip", "link", "set", "eth0", "up")
            each.run("ip", "route", "add", "default", "dev", "eth0")
        yield first, second
        for each in (first, second):
            end_daemons(each)


def end_daemons(each: Host) -> None:
    """End what the host's networks have started: exactly the processes it has written down."""
    listing = each.run("sh", "-c", "cat /run/tnet/wireguard/*.pid 2>/dev/null || true")
    for line in listing.splitlines():
        subprocess.run(["kill", line.split()[0]], capture_output=True)
