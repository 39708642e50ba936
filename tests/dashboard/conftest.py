"""Pages over made-up answers, in the test client and behind a real server."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from dash import Dash

from config.catalogue import Catalogue, load_catalogue
from config.settings import PACKAGED_PILOTS
from dashboard.app import create_app
from dashboard.queries import Queries
from dashboard.serve import open_server, stop
from tests.dashboard.made_up import NOW_NS, MadeUpAnswers


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load_catalogue(PACKAGED_PILOTS)


@pytest.fixture
def answers(catalogue: Catalogue) -> MadeUpAnswers:
    return MadeUpAnswers(list(catalogue.pilots))


@pytest.fixture
def queries(answers: MadeUpAnswers, catalogue: Catalogue) -> Queries:
    return Queries(answers, catalogue, lambda: NOW_NS)  # type: ignore[arg-type]


@pytest.fixture
def app(queries: Queries) -> Dash:
    return create_app(queries, refresh_s=1)


@dataclass(frozen=True)
class Site:
    """A running dashboard: its address, and the answers beneath it."""

    address: str
    answers: Any


@contextmanager
def serving(app: Dash, answers: Any) -> Iterator[Site]:
    """The application behind waitress on a free port of loopback."""
    server = open_server(app, "127.0.0.1", 0)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield Site(f"http://127.0.0.1:{server.effective_port}", answers)
    finally:
        stop(server, thread, patience_s=60)  # a page still being drawn on a busy machine must not outlive its server


@pytest.fixture
def serve(catalogue: Catalogue) -> Iterator[Callable[[MadeUpAnswers], Site]]:
    """Serves given answers until the end of the test."""
    with ExitStack() as running:

        def start(answers: MadeUpAnswers) -> Site:
            queries = Queries(answers, catalogue, lambda: NOW_NS)  # type: ignore[arg-type]
            return running.enter_context(serving(create_app(queries, refresh_s=0.5), answers))

        yield start
