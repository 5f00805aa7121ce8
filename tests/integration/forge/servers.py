"""Git over ssh by a real sshd, and over https by git's own http-backend behind a real web server."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.integration.forge.daemon import daemon, program
from tests.integration.ledger.git_server import write_certificate

_SSHD = """\
ListenAddress 127.0.0.1
HostKey {directory}/host_key
AuthorizedKeysFile {directory}/key.pub
PidFile none
StrictModes no
UsePAM {pam}
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
MaxStartups 200
ForceCommand git-shell -c "$SSH_ORIGINAL_COMMAND"
"""

_LIGHTTPD = """\
server.modules = ("mod_alias", "mod_setenv", "mod_cgi", "mod_openssl")
server.document-root = "{directory}/empty"
server.upload-dirs = ("{directory}/uploads")
server.bind = "127.0.0.1"
server.port = {port}
server.feature-flags = ("server.h2proto" => "disable")
ssl.engine = "enable"
ssl.pemfile = "{directory}/server.pem"
alias.url = ("/git" => "{backend}")
cgi.assign = ("" => "")
setenv.set-environment = (
    "GIT_PROJECT_ROOT" => "{root}",
    "GIT_HTTP_EXPORT_ALL" => "1",
    "REMOTE_USER" => "pusher",
    "PATH" => "{path}",
)
"""


@dataclass(frozen=True)
class Served:
    """Where the repositories of a directory can be fetched and pushed: `<url>/<name>.git`."""

    url: str
    environment: Mapping[str, str] = field(default_factory=dict)
    ssh_command: str | None = None
    https_ca_file: Path | None = None


@contextmanager
def over_ssh(root: Path, directory: Path) -> Iterator[Served]:
    """An sshd with keys and configuration of its own, for whoever runs the tests."""
    sshd = program("sshd", "openssh-server")
    directory.mkdir()
    for name in ("host_key", "key"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(directory / name)], check=True
        )
    if os.geteuid() == 0:  # Where sshd, as root, puts its unprivileged half: compiled in, empty.
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    config = directory / "sshd_config"
    config.write_text(_SSHD.format(directory=directory, pam="yes" if _is_locked() else "no"))

    def command(port: int) -> list[str]:
        return [sshd, "-D", "-e", "-f", str(config), "-p", str(port)]

    with daemon(command, directory / "log") as port:
        host_key = (directory / "host_key.pub").read_text()
        (directory / "known_hosts").write_text(f"[127.0.0.1]:{port} {host_key}")
        ssh = (
            f"ssh -F /dev/null -i {directory}/key -o IdentitiesOnly=yes -o BatchMode=yes "
            f"-o UserKnownHostsFile={directory}/known_hosts -o GlobalKnownHostsFile=/dev/null"
        )
        user = pwd.getpwuid(os.geteuid()).pw_name
        yield Served(f"ssh://{user}@127.0.0.1:{port}{root}", {"GIT_SSH_COMMAND": ssh}, ssh_command=ssh)


def _is_locked() -> bool:
    """sshd lets nobody into a locked account by itself; PAM has another opinion where a key is shown."""
    shadow = Path("/etc/shadow")
    return os.access(shadow, os.R_OK) and "root:!" in shadow.read_text()


@contextmanager
def over_https(root: Path, directory: Path) -> Iterator[Served]:
    """A lighttpd with a configuration and a certificate of its own."""
    lighttpd = program("lighttpd", "lighttpd lighttpd-mod-openssl")
    backend = Path(subprocess.check_output(["git", "--exec-path"], text=True).strip(), "git-http-backend")
    if not Path("/usr/lib/lighttpd/mod_openssl.so").exists():
        pytest.skip("lighttpd's mod_openssl is missing: apt-get install lighttpd-mod-openssl")
    for name in ("", "empty", "uploads"):
        (directory / name).mkdir()
    write_certificate(directory / "server.pem")
    config = directory / "lighttpd.conf"

    def command(port: int) -> list[str]:
        values = {"directory": directory, "root": root, "backend": backend, "path": os.environ["PATH"]}
        config.write_text(_LIGHTTPD.format(port=port, **values))
        return [lighttpd, "-D", "-f", str(config)]

    with daemon(command, directory / "log") as port:
        authority = directory / "server.pem"
        yield Served(
            f"https://127.0.0.1:{port}/git",
            {"GIT_SSL_CAINFO": str(authority)},
            https_ca_file=authority,
        )
