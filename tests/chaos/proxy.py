"""A TCP proxy whose connections can be cut, held or refused: the network's faults without touching the network."""

import contextlib
import socket
import struct
import threading
from types import TracebackType
from typing import Self

_NO_LINGER = struct.pack("ii", 1, 0)


class Proxy:
    """Listens on `port` and passes bytes on to `target`; leaving the block closes everything."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.accepted = 0
        self._flows = threading.Event()
        self._flows.set()
        self._refusing = False
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, name="proxy", daemon=True).start()

    def cut(self, reset: bool = True) -> int:
        """End every connection, with a reset or in order; returns how many there were."""
        with self._lock:
            pairs, self._pairs = self._pairs, set()
        for pair in pairs:
            for end in pair:
                _close(end, reset)
        return len(pairs)

    def hold(self) -> None:
        """Pass nothing on in either direction, as on a half-open connection; new ones are accepted and starve."""
        self._flows.clear()

    def refuse(self, yes: bool = True) -> None:
        """Reset new connections at once."""
        self._refusing = yes

    def flow(self) -> None:
        """Pass bytes on again."""
        self._flows.set()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            if self._refusing:
                _close(client, reset=True)
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self.target), timeout=5)
                server.settimeout(None)
            except OSError:
                _close(client, reset=True)
                continue
            pair = (client, server)
            with self._lock:
                self._pairs.add(pair)
            for source, sink in (pair, pair[::-1]):
                threading.Thread(target=self._pass, args=(source, sink, pair), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, pair: tuple[socket.socket, socket.socket]) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self._flows.wait()
                sink.sendall(data)
        with self._lock:
            self._pairs.discard(pair)
        for end in pair:
            _close(end, reset=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        _close(self._listener, reset=False)
        self._flows.set()
        self.cut()


def _close(end: socket.socket, reset: bool) -> None:
    with contextlib.suppress(OSError):
        if reset:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        end.shutdown(socket.SHUT_RDWR)
    end.close()
