"""Pure: what a provider or a proxy says of somebody, as a role and pilots; what is not said is not granted."""

from collections.abc import Iterable, Mapping
from typing import Any

from config.roles import ROLES, Role


def claim(claims: Mapping[str, Any], path: str) -> list[str]:
    """The texts under a claim; a dot leads inside, unless the whole name is a claim itself.

    >>> claim({"realm_access": {"roles": ["staff", 7]}}, "realm_access.roles")
    ['staff']
    """
    found: Any = claims
    if path in claims:
        found = claims[path]
    else:
        for part in path.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    if isinstance(found, str):
        return found.replace(",", " ").split()
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def role_of(values: Iterable[str], role_map: Mapping[str, Role]) -> Role | None:
    """The role of somebody with these values, the last in the order of ROLES when there are several; None for none.

    >>> role_of(["everyone", "periscope-staff"], {"periscope-staff": "operator"})
    'operator'
    """
    known: Mapping[str, Role] = role_map or {role: role for role in ROLES}
    granted = {known[value] for value in values if value in known}
    return next((role for role in reversed(ROLES) if role in granted), None)
