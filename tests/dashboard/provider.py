"""A small OpenID Connect provider on loopback that checks what a client must send, and can be told to lie.

It keeps to the specification on its own: exact redirect address, PKCE S256, client secret, each code once.
"""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

CLIENT, CLIENT_SECRET = "periscope", "the client's own secret"
Claims = dict[str, Any]


class Provider:
    """`person` is who is signed in there; `lie` changes header and claims of an ID token just before it is signed."""

    def __init__(self, back: str, now_s: Callable[[], int]) -> None:
        self.back, self.now_s = back, now_s
        self.key = RSAKey.generate_key(2048, {"kid": "one"}, private=True)
        self.published = [self.key]
        self.person: Claims = {"sub": "4711", "preferred_username": "carol", "roles": ["operator"]}
        self.lie: Callable[[Claims, Claims], None] = lambda header, claims: None
        self.sign: Callable[[Claims, Claims], str] = lambda header, claims: jwt.encode(
            header, claims, self.key, algorithms=["RS256", "HS256", "PS256"]
        )
        self.issuer = ""
        self.said_issuer: str | None = None
        self.asked: list[str] = []
        self._codes: dict[str, dict[str, str]] = {}
        self._numbers = count()

    def metadata(self) -> Claims:
        return {
            "issuer": self.said_issuer or self.issuer, "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token", "jwks_uri": f"{self.issuer}/keys",
        }  # fmt: skip

    def authorize(self, query: dict[str, str]) -> str:
        """Where the browser is sent back to."""
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT
        assert query["redirect_uri"] == self.back
        assert query["code_challenge_method"] == "S256"
        assert "openid" in query["scope"].split()
        code = f"code-{next(self._numbers)}"
        self._codes[code] = query
        return f"{self.back}?{urlencode({'code': code, 'state': query['state']})}"

    def token(self, form: dict[str, str], authorization: str) -> Claims | None:
        """Tokens for a code; None when anything is not as it must be."""
        basic = base64.b64encode(f"{CLIENT}:{CLIENT_SECRET}".encode()).decode()
        query = self._codes.pop(form.get("code", ""), None)
        if query is None or authorization != f"Basic {basic}" or form.get("redirect_uri") != self.back:
            return None
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if _encoded(digest) != query["code_challenge"]:
            return None
        header: Claims = {"alg": "RS256", "kid": self.key.kid}
        claims = {
            **self.person, "iss": self.issuer, "aud": CLIENT, "iat": self.now_s(), "exp": self.now_s() + 300,
            "nonce": query.get("nonce"),
        }  # fmt: skip
        self.lie(header, claims)
        return {"access_token": "a", "token_type": "Bearer", "expires_in": 300, "id_token": self.sign(header, claims)}


def unsigned(header: Claims, claims: Claims) -> str:
    """A token of algorithm "none"."""
    return f"{_signed_part({**header, 'alg': 'none'}, claims)}."


def signed_by_secret(header: Claims, claims: Claims, secret: bytes) -> str:
    """A token of algorithm "HS256", made by hand: libraries refuse to make some that an attacker would."""
    part = _signed_part({**header, "alg": "HS256"}, claims)
    return f"{part}.{_encoded(hmac.new(secret, part.encode(), hashlib.sha256).digest())}"


def _signed_part(header: Claims, claims: Claims) -> str:
    return ".".join(_encoded(json.dumps(one).encode()) for one in (header, claims))


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def other_key() -> RSAKey:
    """A key that nobody published."""
    return RSAKey.generate_key(2048, {"kid": "one"}, private=True)


def handler(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            provider.asked.append(parts.path)
            if parts.path == "/.well-known/openid-configuration":
                self._json(provider.metadata())
            elif parts.path == "/keys":
                self._json(KeySet(list(provider.published)).as_dict(private=False))
            elif parts.path == "/authorize":
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                self.send_response(302)
                self.send_header("Location", provider.authorize(query))
                self.end_headers()
            else:
                self.send_error(404)

        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
            form = {name: values[0] for name, values in parse_qs(text).items()}
            provider.asked.append(self.path)
            found = provider.token(form, self.headers.get("Authorization", ""))
            self._json(found or {"error": "invalid_grant"}, 200 if found else 400)

        def _json(self, body: Claims, status: int = 200) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    return Handler


@contextmanager
def running(back: str, now_s: Callable[[], int]) -> Iterator[Provider]:
    """The provider behind a free port of loopback."""
    provider = Provider(back, now_s)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler(provider)) as server:
        provider.issuer = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join(5)
