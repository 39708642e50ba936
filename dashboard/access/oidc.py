"""The client of an OpenID Connect provider: authorization code with PKCE. The only file that knows Authlib.

Promises: an ID token counts only with a signature of the allowed algorithms by a key that the provider publishes, from
that issuer, for this client, in time, and with the nonce that this browser was sent away with; keys that a token brings
along are not looked at; nothing is sent to an address that the provider's own metadata do not name.
"""

import threading
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from config.access import LOOPBACK, Oidc
from pipeline.sessions import Handshake

_TIMEOUT_S: Final = 10
_KEPT_S: Final = 600
_LEEWAY_S: Final = 60
_NS_PER_S: Final = 1_000_000_000


class ProviderAway(Exception):
    """The provider cannot be asked now."""


class ProviderRefused(Exception):
    """What the provider says does not sign anybody in; the sentence is for the audit."""


class Provider:
    """One provider; `tick` is a clock in seconds that never jumps, `clock` the time in ns."""

    def __init__(self, settings: Oidc, back: str, clock: Callable[[], int], tick: Callable[[], float]) -> None:
        self._settings, self._back, self._clock, self._tick = settings, back, clock, tick
        self._kept: tuple[float, dict[str, Any], KeySet] | None = None
        self._lock = threading.Lock()

    def leave(self, goal: str) -> tuple[str, str, Handshake]:
        """Where to send a browser, the state that must come back, and what to keep for then."""
        metadata, _ = self._known()
        shake = Handshake(nonce=generate_token(32), verifier=generate_token(64), goal=goal)
        with self._session() as session:
            url, state = session.create_authorization_url(
                metadata["authorization_endpoint"], nonce=shake.nonce, code_verifier=shake.verifier
            )
        return url, state, shake

    def claims(self, code: str, shake: Handshake) -> Mapping[str, Any]:
        """What the provider says of the reader, in exchange for a code; raises ProviderAway or ProviderRefused."""
        metadata, keys = self._known()
        try:
            with self._session() as session:
                token = session.fetch_token(
                    metadata["token_endpoint"], code=code, code_verifier=shake.verifier, timeout=_TIMEOUT_S,
                    allow_redirects=False,
                )  # fmt: skip
        except requests.RequestException as error:
            raise ProviderAway(str(error)) from error
        except (AuthlibBaseError, ValueError) as error:
            raise ProviderRefused("the code was not accepted") from error
        if not isinstance(token.get("id_token"), str):
            raise ProviderRefused("no ID token came")
        try:
            return self._checked(token, shake.nonce, metadata, keys)
        except _UnknownKey:
            # The provider may have changed its keys since we asked.
            metadata, keys = self._known(again=True)
        try:
            return self._checked(token, shake.nonce, metadata, keys)
        except _UnknownKey as error:
            raise ProviderRefused("the ID token is signed by an unknown key") from error

    def _checked(
        self, token: Mapping[str, Any], nonce: str, metadata: dict[str, Any], keys: KeySet
    ) -> Mapping[str, Any]:
        registry = JWSRegistry(algorithms=list(self._settings.algorithms))
        try:
            decoded = jwt.decode(token["id_token"], keys, registry=registry)
        except (InvalidKeyIdError, ValueError) as error:
            raise _UnknownKey from error
        except JoseError as error:
            raise ProviderRefused(f"the ID token is not well signed ({type(error).__name__})") from error
        client = self._settings.client_id
        options = {"iss": {"essential": True, "value": metadata["issuer"]}, "aud": {"essential": True, "value": client}}
        given = {"nonce": nonce, "client_id": client, "access_token": token.get("access_token")}
        claims = CodeIDToken(decoded.claims, decoded.header, options, given)
        try:
            claims.validate(now=self._clock() // _NS_PER_S, leeway=_LEEWAY_S)
        except (JoseError, AuthlibBaseError, ValueError, TypeError) as error:
            raise ProviderRefused(f"the ID token is not for us ({type(error).__name__} {_claim(error)})") from error
        return dict(claims)

    def _session(self) -> OAuth2Session:
        secret = self._settings.client_secret
        return OAuth2Session(
            self._settings.client_id, secret.get_secret_value() if secret else None, scope=self._settings.scopes,
            redirect_uri=self._back, code_challenge_method="S256",
            token_endpoint_auth_method="client_secret_basic" if secret else "none",
        )  # fmt: skip

    def _known(self, again: bool = False) -> tuple[dict[str, Any], KeySet]:
        """The provider's metadata and keys, asked for at most every ten minutes unless a key is unknown."""
        with self._lock:
            if self._kept and not again and self._tick() - self._kept[0] < _KEPT_S:
                return self._kept[1], self._kept[2]
            issuer = str(self._settings.issuer)
            metadata = _fetched(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
            if metadata.get("issuer") != issuer:
                raise ProviderAway(f"it calls itself {metadata.get('issuer')}, not {issuer}")
            for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                if not _may_be_asked(metadata.get(name)):
                    raise ProviderAway(f"its {name} is no https address")
            try:
                keys = KeySet.import_key_set(_fetched(metadata["jwks_uri"]))  # type: ignore[arg-type]
            except (JoseError, ValueError, KeyError, TypeError) as error:
                raise ProviderAway("its keys cannot be read") from error
            self._kept = (self._tick(), metadata, keys)
            return metadata, keys


class _UnknownKey(Exception):
    pass


def _claim(error: Exception) -> str:
    return str(getattr(error, "claim", ""))


def _may_be_asked(url: object) -> bool:
    parts = urlsplit(url) if isinstance(url, str) else None
    return parts is not None and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK))


def _fetched(url: str) -> dict[str, Any]:
    try:
        answer = requests.get(url, timeout=_TIMEOUT_S, allow_redirects=False)
        answer.raise_for_status()
        found = answer.json() if answer.status_code == 200 else None
    except (requests.RequestException, ValueError) as error:
        raise ProviderAway(f"{url} does not answer as it should") from error
    if not isinstance(found, dict):
        raise ProviderAway(f"{url} does not answer as it should")
    return found
