"""Knobs of who may sign in: a provider and a proxy. `config/settings.py` holds them with all others."""

from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, IPvAnyNetwork, SecretStr, model_validator

from config.roles import Role

LOOPBACK = ("127.0.0.1", "::1", "localhost")
_HEADER = r"^[A-Za-z0-9-]{1,64}$"


class Group(BaseModel):
    """Settings that belong together; a misspelt one is told, and no value is ever repeated."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Oidc(Group):
    """Sign-in by OpenID Connect; off until issuer and client_id are set. `docs/access.md` tells how."""

    issuer: str | None = Field(
        None, pattern=r"^https?://", description="Address of the provider, as its own metadata spell it."
    )
    client_id: str | None = Field(None, min_length=1, description="Name under which the provider knows this dashboard.")
    client_secret: SecretStr | None = Field(None, description="Secret of that client; none for a public client.")
    label: str = Field(
        "OpenID Connect", min_length=1, max_length=60, description="What the button says after 'Sign in with'."
    )
    scopes: str = Field("openid profile", pattern=r"^openid( |$)", description="Scopes to ask for.")
    name_claim: str = Field(
        "preferred_username", min_length=1, description="Claim that names the account; without it the subject does."
    )
    role_claim: str = Field(
        "roles",
        min_length=1,
        description="Claim with the role or groups; a dot leads inside, as in realm_access.roles.",
    )
    role_map: dict[str, Role] = Field(
        {}, description="Role for each value of that claim, as JSON; when empty, values are role names."
    )
    pilots_claim: str | None = Field(
        None, description="Claim that lists the pilots an account may see; unset means all."
    )
    algorithms: list[Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]] = Field(
        ["RS256", "ES256"], min_length=1, description="Signatures accepted on ID tokens."
    )

    @model_validator(mode="after")
    def _issuer_and_client_go_together(self) -> "Oidc":
        if (self.issuer is None) != (self.client_id is None):
            raise ValueError("issuer and client_id must be set together")
        if self.issuer and urlsplit(self.issuer).scheme == "http" and urlsplit(self.issuer).hostname not in LOOPBACK:
            raise ValueError("issuer must be https, unless it is on this machine")
        return self


class Proxy(Group):
    """What is believed of a reverse proxy. Without user_header it signs nobody in."""

    trusted: list[IPvAnyNetwork] = Field(
        [], description="Addresses or networks of the proxy, as JSON; headers of all others are ignored."
    )
    user_header: str | None = Field(
        None,
        pattern=_HEADER,
        description="Header that names who is signed in; setting it lets the proxy sign people in.",
    )
    role_header: str | None = Field(
        None, pattern=_HEADER, description="Header with the role or groups, separated by commas."
    )
    role_map: dict[str, Role] = Field(
        {}, description="Role for each value of that header, as JSON; when empty, values are role names."
    )
    role: Role | None = Field(None, description="Role of everyone that the proxy names, when role_header is unset.")
    pilots_header: str | None = Field(
        None, pattern=_HEADER, description="Header with the pilots to be seen, separated by commas; unset means all."
    )

    @model_validator(mode="after")
    def _a_user_header_needs_who_may_set_it(self) -> "Proxy":
        if self.user_header and not self.trusted:
            raise ValueError("user_header needs trusted, the addresses of the proxy that sets it")
        if self.user_header and not (self.role_header or self.role):
            raise ValueError("user_header needs role_header or role")
        return self
