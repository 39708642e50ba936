"""Receivers of alerts for tests: a web server and a mail server on loopback that answer as told and keep what came."""

import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.services.process import free_port


class Webhook:
    """`answers` are used up one by one, then `always` is given. An answer is a code, or what to do with the wire."""

    def __init__(self, answers: list[int | str] | None = None, always: int | str = 200) -> None:
        self.answers, self.always = list(answers or []), always
        self.got: list[tuple[str, dict[str, Any]]] = []
        self.gets: list[str] = []
        self.retry_after = ""
        self.released = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                receiver.got.append((self.headers.get("Idempotency-Key", ""), body))
                answer = receiver.answers.pop(0) if receiver.answers else receiver.always
                if answer == "hang":
                    self._trickle()
                elif answer == "no http":
                    self.wfile.write(b"what is this?\r\n\r\n")
                    self.close_connection = True
                else:
                    self.send_response(int(answer))
                    if int(answer) // 100 == 3:
                        self.send_header("Location", receiver.url + "elsewhere")
                    if receiver.retry_after:
                        self.send_header("Retry-After", receiver.retry_after)
                    self.send_header("Content-Length", "0")
                    self.end_headers()

            def _trickle(self) -> None:
                """A byte now and then: no limit on a single read ever ends that."""
                self.close_connection = True
                self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                try:
                    while not receiver.released.wait(0.3):
                        self.wfile.write(b"z")
                except OSError:
                    pass

            def do_GET(self) -> None:
                receiver.gets.append(self.path)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def keys(self) -> list[str]:
        return [key for key, _ in self.got]

    def __enter__(self) -> "Webhook":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class MailServer:
    """`refuses` are answers to RCPT by receiver; `answer` is the answer to DATA."""

    def __init__(self, certificate: Path | None = None, implicit: bool = False, password: str = "") -> None:
        """With a certificate, mail comes by TLS alone: from the first byte (`implicit`) or after STARTTLS. With a
        password, `ana` has to sign in by it."""
        self.answer = "250 taken"
        self.refuses: dict[str, str] = {}
        self.got: list[bytes] = []
        self.port = free_port()
        options: dict[str, Any] = {}
        if certificate is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(certificate, certificate.with_suffix(".key"))
            options = {"ssl_context": context} if implicit else {"tls_context": context, "require_starttls": True}
        if password:
            options |= {"authenticator": self._judge, "auth_required": True, "auth_require_tls": not implicit}
        self._password = password
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port, **options)

    def _judge(self, server: SMTP, session: Session, envelope: Envelope, how: str, given: LoginPassword) -> AuthResult:
        good = (given.login, given.password) == (b"ana", self._password.encode())
        return AuthResult(success=good, handled=good)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refuses:
            return self.refuses[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.got.append(bytes(envelope.content or b""))
        return self.answer

    def __enter__(self) -> "MailServer":
        self._controller.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._controller.stop()
