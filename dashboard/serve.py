"""Serving the pages with waitress; `/healthz` says that we run, `/readyz` that the store answers."""

from threading import Thread

from dash import Dash
from flask import Flask
from waitress import create_server
from waitress.server import BaseWSGIServer

from dashboard.access.access import Access
from dashboard.queries import AnswersAway, Queries


def health(server: Flask, queries: Queries) -> None:
    """The two probes; they say nothing but state."""

    @server.get("/healthz")
    def healthz() -> tuple[str, int]:
        return "ok\n", 200

    @server.get("/readyz")
    def readyz() -> tuple[str, int]:
        try:
            queries.version()
        except AnswersAway:
            return "the store does not answer\n", 503
        return "ok\n", 200


def open_server(app: Dash, host: str, port: int) -> BaseWSGIServer:
    """A server that listens but does not run yet: `effective_port` is its port, `run` serves, `close` ends it.

    Raises ConfigError for an address that other machines reach while nobody is asked who they are, OSError when the
    port is taken.
    """
    access: Access = app.server.extensions["periscope_access"]
    access.check(host)
    # Headers of proxies are judged by `access.proxy`, which knows whom to believe; waitress would drop them all.
    return create_server(
        app.server, host=host, port=port, threads=8, connection_limit=1000, ident="periscope",
        clear_untrusted_proxy_headers=False,
    )  # fmt: skip


def stop(server: BaseWSGIServer, serving: Thread, patience_s: float = 5) -> None:
    """End a server that the thread `serving` runs: what is being answered is finished, then all connections close.

    The sockets are closed by the thread that waits on them; closed under its hands, that wait would fail.
    """

    def end() -> None:
        for connection in list(server.active_channels.values()):
            connection.handle_close()
        server.close()

    server.task_dispatcher.shutdown(timeout=patience_s)
    server.trigger.pull_trigger(end)
    serving.join(patience_s)
