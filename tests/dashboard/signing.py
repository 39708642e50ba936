"""A dashboard with accounts, a clock that the test moves, and readers who sign in as a browser does."""

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from argon2 import PasswordHasher
from dash import Dash
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from config.access import Oidc, Proxy
from config.catalogue import Catalogue
from config.roles import Role
from config.settings import PACKAGED_PILOTS, Dashboard
from config.vocabulary import load_vocabulary
from dashboard.access.access import Access
from dashboard.app import create_app
from dashboard.log.desk import Desk
from dashboard.log.post import Post
from dashboard.queries import Queries
from pipeline.accounts import Accounts
from pipeline.logbook import Logbook
from pipeline.operations import Operations
from tests.dashboard.callbacks import body, send
from tests.dashboard.made_up import NOW_NS, MadeUpAnswers

PASSWORD = "correct horse battery"
SECRET = "0123456789abcdef0123456789abcdef"
TICK = "version.data"
# Real hashes that cost little: what is tested here is who gets in, not how long guessing takes.
CHEAP = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


class Clock:
    """Both clocks of the access: the time in ns, and seconds that never jump."""

    def __init__(self) -> None:
        self.now_ns = NOW_NS

    def __call__(self) -> int:
        return self.now_ns

    def tick(self) -> float:
        return self.now_ns / 1e9

    def wait(self, seconds: float) -> None:
        self.now_ns += round(seconds * 1e9)


class House:
    """One dashboard and everything behind its door."""

    def __init__(
        self, operations: Operations, catalogue: Catalogue, web: Dashboard, oidc: Oidc, proxy: Proxy, answers: Any
    ) -> None:
        self.operations, self.clock, self.answers = operations, Clock(), answers
        self.accounts = Accounts(operations, CHEAP)
        self.access = Access(self.accounts, self.clock, web, oidc, proxy, self.clock.tick)
        self.queries = Queries(answers, catalogue, lambda: NOW_NS)
        self.logbook, self.sent = Logbook(":memory:"), list[tuple[str, bytes]]()
        post = Post(self.logbook, self.sent.extend, self.clock)
        self.desk = Desk(self.logbook, catalogue, load_vocabulary(PACKAGED_PILOTS), post, self.clock, "{}-{}".format)
        self.app: Dash = create_app(self.queries, refresh_s=1, access=self.access, desk=self.desk)

    def client(self) -> FlaskClient:
        return self.app.server.test_client()

    def add(self, name: str, role: Role = "viewer", pilots: list[str] | None = None) -> None:
        self.accounts.add(name, PASSWORD, role, pilots, self.clock())

    def signed_in(self, name: str) -> FlaskClient:
        """A browser of somebody who is signed in."""
        client = self.client()
        assert sign_in(client, name).status_code == 303
        return client

    def with_session(self, name: str) -> FlaskClient:
        """The same without the work of checking a password."""
        client = self.client()
        assert self.access.sessions is not None
        identifier = self.access.sessions.open(self.accounts.named(name), self.clock())
        client.set_cookie(self.access.session_cookie, identifier, secure=self.access.secure)
        client.set_cookie(self.access.token_cookie, self.access.tokens.of_session(identifier))
        return client

    def post(
        self, client: FlaskClient, output: str, values: dict[str, Any] | None = None, **headers: str
    ) -> TestResponse:
        """Call a callback with the token that this browser has."""
        cookie = client.get_cookie(self.access.token_cookie)
        token = {"X-CSRFToken": cookie.value} if cookie else {}
        return send(client, json(body(self.app, output, values or {})), **{**token, **headers})

    def audit(self) -> list[tuple[str, str, str]]:
        """Who did what, and how it ended."""
        return [entry[1:] for entry in self.operations.audited()]


def json(value: Any) -> str:
    import json as encoding

    return encoding.dumps(value)


@contextmanager
def house(
    catalogue: Catalogue, *, web: dict[str, Any] | None = None, oidc: dict[str, Any] | None = None,
    proxy: dict[str, Any] | None = None, answers: Any = None,
) -> Iterator[House]:  # fmt: skip
    """A house whose file is in memory."""
    with closing(Operations(":memory:")) as operations:
        made = House(
            operations, catalogue, Dashboard(**(web or {})), Oidc(**(oidc or {})), Proxy(**(proxy or {})),
            answers or MadeUpAnswers(list(catalogue.pilots)),
        )  # fmt: skip
        with closing(made.logbook):
            yield made


def sign_in(client: FlaskClient, name: str, password: str = PASSWORD, goal: str = "/", **more: Any) -> TestResponse:
    """Open the form, fill it in, send it."""
    form = client.get("/sign-in", query_string={"next": goal}, **more).get_data(as_text=True)
    return client.post("/sign-in", data={"csrf": field(form), "next": goal, "name": name, "password": password}, **more)


def field(page: str) -> str:
    """The token in a page's form."""
    found = re.search(r'name="csrf" value="([^"]*)"', page)
    return found[1] if found else ""
