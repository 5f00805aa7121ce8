"""Fetching over https from git's own http-backend behind a real web server."""

from __future__ import annotations

import datetime
import os
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from reconciler.ledger.trouble import RemoteUnreachable
from tests.integration.ledger.world import DAVE, WEB, World, network


class GitHandler(BaseHTTPRequestHandler):
    """Hands requests to `git http-backend` as CGI (RFC 3875)."""

    server: GitServer

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def _answer(self, body: bytes) -> None:
        path, _, query = self.path.partition("?")
        answer = subprocess.run(
            ["git", "http-backend"],
            input=body,
            capture_output=True,
            check=True,
            env={
                "PATH": os.environ["PATH"],
                "GIT_PROJECT_ROOT": str(self.server.root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "REQUEST_METHOD": self.command,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(body)),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "REMOTE_ADDR": "127.0.0.1",
            },
        ).stdout
        head, _, content = answer.partition(b"\r\n\r\n")
        fields = dict(line.decode().split(": ", 1) for line in head.split(b"\r\n"))
        self.send_response(int(fields.pop("Status", "200").split()[0]))
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.server.sent_bytes += len(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


class GitServer(ThreadingHTTPServer):
    """Serves the repositories under `root`."""

    daemon_threads = True

    def __init__(self, root: Path, certificate: Path) -> None:
        super().__init__(("127.0.0.1", 0), GitHandler)
        self.root = root
        self.sent_bytes = 0
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self.socket = context.wrap_socket(self.socket, server_side=True)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.server_address[1]}"


def write_certificate(path: Path) -> None:
    """A self-signed certificate for 127.0.0.1, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(certificate.public_bytes(Encoding.PEM) + private)


@pytest.fixture
def server(world: World) -> Iterator[GitServer]:
    certificate = world.directory / "server.pem"
    write_certificate(certificate)
    server = GitServer(world.forge.path.parent, certificate)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_https_with_a_pinned_authority(world: World, server: GitServer) -> None:
    ledger = world.new_ledger(
        "over-https", remote=f"{server.url}/forge.git", https_ca_file=world.directory / "server.pem"
    )
    assert ledger.sync().state_hash == world.sync().state_hash
    world.forge.commit({WEB: network("web", 3)}, DAVE)
    assert ledger.sync().verdicts[-1].code == "accepted"
    ledger.close()


def test_a_poll_with_nothing_new_costs_few_bytes(world: World, server: GitServer) -> None:
    """Whatever other refs the forge has: pull requests by the thousand must not be listed to every node."""
    for number in range(200):
        world.forge.git("update-ref", f"refs/pull/{number}/head", world.forge.tip)
    ledger = world.new_ledger(
        "over-https", remote=f"{server.url}/forge.git", https_ca_file=world.directory / "server.pem"
    )
    ledger.sync()
    server.sent_bytes = 0
    ledger.sync()
    assert server.sent_bytes < 500
    ledger.close()


def test_https_from_an_unknown_authority_is_refused(world: World, server: GitServer) -> None:
    with pytest.raises(RemoteUnreachable, match="certificate"):
        world.new_ledger("over-https", remote=f"{server.url}/forge.git").sync()


def test_a_forge_that_does_not_have_it(world: World, server: GitServer) -> None:
    ledger = world.new_ledger(
        "over-https", remote=f"{server.url}/nothing.git", https_ca_file=world.directory / "server.pem"
    )
    with pytest.raises(RemoteUnreachable):
        ledger.sync()
