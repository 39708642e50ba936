"""An HTTP front before the real InfluxDB: passes requests on, or gives the answers that a real one cannot be made to.

Only writes are tampered with. `answers` is what the next writes get, one each; `always` what all get until it is None.
"""

import contextlib
import http.client
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


@dataclass(frozen=True)
class Answer:
    """Status and headers instead of the server's; `cut` breaks off in the middle, `late` answers after so many s.

    With `through` the request reaches the server first: what is answered then is not what happened. `retry_date` asks
    for so many s of patience by an HTTP date.
    """

    status: int = 503
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b'{"code":"x","message":"scripted"}'
    cut: bool = False
    late: float = 0
    through: bool = False
    retry_date: float | None = None


@dataclass(frozen=True)
class Seen:
    """One write: when it began, how many lines it had, what it was answered."""

    at: float
    lines: int
    status: int


class Front(ThreadingHTTPServer):
    """Listens on `port`; `target` is the server's port. Leaving the block closes it."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, target: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target = target
        self.port = self.server_port
        self.answers: deque[Answer] = deque()
        self.always: Answer | None = None
        self.judge: Callable[[list[bytes]], Answer | None] = lambda lines: None
        self.writes: list[Seen] = []
        self.last: tuple[str, dict[str, str]] = ("", {})
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def next_answer(self, lines: list[bytes]) -> Answer | None:
        """What this write gets; None passes it on."""
        with contextlib.suppress(IndexError):
            return self.answers.popleft()
        return self.always or self.judge(lines)

    def store(self, lines: list[bytes]) -> None:
        """Write lines of the request in hand, though it will be answered as if something was wrong with it."""
        path, headers = self.last
        if lines:
            status, _, _ = passed_on(self.target, "POST", path, b"\n".join(lines), headers)
            assert status == 204, status

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is part of the play."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join(5)


def passed_on(
    port: int, method: str, path: str, body: bytes, headers: dict[str, str]
) -> tuple[int, dict[str, str], bytes]:
    """What the server behind answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        kept = {k: v for k, v in headers.items() if k.lower() not in ("host", "connection", "content-length")}
        connection.request(method, path, body, kept)
        answer = connection.getresponse()
        told = {k: v for k, v in answer.getheaders() if k.lower() in ("content-type", "retry-after")}
        return answer.status, told, answer.read()
    except OSError:
        return 502, {}, b'{"message":"no server behind"}'
    finally:
        connection.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65_536
    server: Front

    def do_POST(self) -> None:
        began = time.monotonic()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not self.path.startswith("/api/v2/write"):
            self._say(*self._pass_on(body))
            return
        lines = body.split(b"\n") if body else []
        self.server.last = (self.path, dict(self.headers.items()))
        answer = self.server.next_answer(lines)
        if answer is None:
            status, headers, said = self._pass_on(body)
        else:
            if answer.through:
                self._pass_on(body)
            status, headers, said = answer.status, dict(answer.headers), answer.body
            if answer.retry_date is not None:
                headers["Retry-After"] = formatdate(time.time() + answer.retry_date, usegmt=True)
        self.server.writes.append(Seen(began, len(lines), status))
        if answer is not None and answer.late:
            time.sleep(answer.late)  # the fault itself: an answer that comes after the client's patience
        if answer is not None and answer.cut:
            self.wfile.write(f"HTTP/1.1 {status} X\r\nContent-Length: 5000\r\n\r\n{{".encode())
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        self._say(status, headers, said)

    do_GET = do_POST

    def _pass_on(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        return passed_on(self.server.target, self.command, self.path, body, dict(self.headers.items()))

    def _say(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(b"" if status == 204 else body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: what was seen is in `writes`."""
