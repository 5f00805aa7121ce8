"""Process 1 of a machine of the lab: sets the machine up, says so, then reaps whatever ends.

    init.py LAB_DIRECTORY MACHINE

It starts as an ordinary process, makes the machine's namespaces (network, mount, process, host name, IPC)
and forks process 1 into them; the process that was started prints that one's id and ends. Process 1 says
`ready` and waits for `go` on its standard input. If its starter dies before it has written the id down,
the pipe closes and the machine ends: none is ever left that nobody knows of. When process 1 is killed the
kernel kills all others of the machine, and the namespaces go with them.

Mounts, all private to the machine: its own /run (tmpfs, the lab's directory put back in its place), /proc
and /sys, and an overlay on /etc and /var/lib in which /etc/tnet and /var/lib/tnet are directories of the
lab's (`machines/<name>/etc` and `.../state`).
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
from pathlib import Path

# linux/sched.h
CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
# linux/mount.h
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 1 << 18

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


def unshare() -> None:
    flags = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET
    _checked(_libc.unshare(flags), "unshare")


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    arguments = (source.encode(), target.encode(), kind.encode() or None, flags, options.encode() or None)
    _checked(_libc.mount(*arguments), f"mount {kind or source} on {target}")


def mount_run(lab: Path) -> None:
    """A fresh /run, with the lab's directory (which may lie in the old one) at its old path."""
    kept = os.open(lab, os.O_PATH)
    mount("tmpfs", "/run", "tmpfs", 0, "mode=755")
    lab.mkdir(parents=True, exist_ok=True)
    mount(f"/proc/self/fd/{kept}", str(lab), flags=MS_BIND)
    os.close(kept)


def overlay(target: str, name: str, source: Path) -> None:
    """Cover `target` so that it can have a directory `tnet` of the machine's own: `source`."""
    upper, work = Path(f"/run/.overlay/{name}/upper"), Path(f"/run/.overlay/{name}/work")
    upper.mkdir(parents=True)
    work.mkdir()
    mount("overlay", target, "overlay", 0, f"lowerdir={target},upperdir={upper},workdir={work}")
    place = Path(target) / "tnet"
    place.mkdir(exist_ok=True)
    mount(str(source), str(place), flags=MS_BIND)


def skip_duplicate_detection() -> None:
    """Every address of the lab is unique: without this IPv6 would be silent for its first second or two."""
    for name in ("all", "default"):
        Path(f"/proc/sys/net/ipv6/conf/{name}/accept_dad").write_text("0")


def prepare(lab: Path, machine: str) -> None:
    mount("none", "/", flags=MS_REC | MS_PRIVATE)
    mount_run(lab)
    mount("proc", "/proc", "proc")
    mount("sysfs", "/sys", "sysfs")
    skip_duplicate_detection()
    own = lab / "machines" / machine
    overlay("/etc", "etc", own / "etc")
    overlay("/var/lib", "var-lib", own / "state")
    socket.sethostname(machine)


def reap_for_ever() -> None:
    """Process 1 is the parent of every process whose own parent has gone."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    while True:
        signal.sigwait({signal.SIGCHLD})
        try:
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass
        except ChildProcessError:
            continue


def let_go_of_starter() -> None:
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    os.close(null)


def serve(lab: Path, machine: str) -> None:
    os.setsid()
    prepare(lab, machine)
    os.write(1, b"ready\n")
    if os.read(0, 3) != b"go\n":
        return
    let_go_of_starter()
    reap_for_ever()


def main() -> int:
    lab, machine = Path(sys.argv[1]), sys.argv[2]
    unshare()
    child = os.fork()
    if child == 0:
        try:
            serve(lab, machine)
        except OSError as error:
            os.write(1, f"failed {error.strerror}\n".encode())
        return 1
    os.write(1, f"pid {child}\n".encode())
    os._exit(0)
