"""An ssh-agent that holds security keys: its real protocol (draft-ietf-sshm-ssh-agent), software tokens."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from reconciler.ledger.signatures.wire import Reader, string
from tests.unit.ledger.authenticator import Token

FAILURE, REQUEST_IDENTITIES, IDENTITIES_ANSWER, SIGN_REQUEST, SIGN_RESPONSE = 5, 11, 12, 13, 14


class _Agent(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    tokens: Sequence[Token]
    touched: bool


class _Conversation(socketserver.StreamRequestHandler):
    server: _Agent

    def handle(self) -> None:
        while len(head := self.rfile.read(4)) == 4:
            request = self.rfile.read(int.from_bytes(head, "big"))
            self.wfile.write(string(self._answer(request[0], Reader(request[1:]))))

    def _answer(self, kind: int, request: Reader) -> bytes:
        if kind == REQUEST_IDENTITIES:
            listed = [string(token.blob) + string(b"a token") for token in self.server.tokens]
            return bytes([IDENTITIES_ANSWER]) + len(listed).to_bytes(4, "big") + b"".join(listed)
        if kind == SIGN_REQUEST:
            blob, data = request.string(), request.string()
            for token in self.server.tokens:
                if token.blob == blob:
                    inner = string(token.algorithm) + token.assertion(data, flags=int(self.server.touched))
                    return bytes([SIGN_RESPONSE]) + string(inner)
        return bytes([FAILURE])


@contextmanager
def token_agent(socket: Path, tokens: Sequence[Token], *, touched: bool = True) -> Iterator[None]:
    """Serves on `socket` until the end; unless `touched`, its user never touches a token."""
    with _Agent(str(socket), _Conversation) as agent:
        agent.tokens, agent.touched = tokens, touched
        thread = threading.Thread(target=agent.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield
        finally:
            agent.shutdown()
            thread.join()
