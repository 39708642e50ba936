"""What a reverse proxy says: who is signed in, and where a request came from.

Promises: headers are believed only from the addresses that the settings trust; from anywhere else they are as if not
sent. The server must not be reachable by others than the proxy's machine at such an address.
"""

from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network

from flask import Request

from config.access import Proxy
from config.roles import Role
from dashboard.access.claims import role_of

_LONGEST_NAME = 200


@dataclass(frozen=True)
class Vouched:
    """Somebody that the proxy vouches for; `role` None when nothing that it says is a role."""

    name: str
    role: Role | None
    pilots: frozenset[str] | None


def vouched(request: Request, proxy: Proxy) -> Vouched | None:
    """Who the proxy says is there; None when it says nothing, or is none that we trust."""
    if not proxy.user_header or not trusts(proxy, request.remote_addr):
        return None
    name = request.headers.get(proxy.user_header, "").strip()[:_LONGEST_NAME]
    if not name:
        return None
    role = role_of(_listed(request, proxy.role_header), proxy.role_map) if proxy.role_header else proxy.role
    pilots = frozenset(_listed(request, proxy.pilots_header)) if proxy.pilots_header else None
    return Vouched(name, role, pilots)


def client_address(request: Request, proxy: Proxy) -> str:
    """Where a request came from, seen through the proxies that we trust."""
    seen = request.remote_addr or ""
    for hop in reversed(request.headers.get("X-Forwarded-For", "").split(",")):
        if not trusts(proxy, seen) or not (hop := hop.strip()):
            break
        seen = hop
    return _network(seen)


def _network(address: str) -> str:
    """For IPv6 the network of 64 bits, as whoever has one address has all of these; tries are counted by it."""
    try:
        known = ip_address(address)
    except ValueError:
        return address
    if not isinstance(known, IPv6Address):
        return str(known)
    return str(known.ipv4_mapped or ip_network((known, 64), strict=False))


def trusts(proxy: Proxy, address: str | None) -> bool:
    """Whether an address is one of the proxy's."""
    try:
        known = ip_address(address or "")
    except ValueError:
        return False
    return any(known in network for network in proxy.trusted)


def _listed(request: Request, header: str) -> list[str]:
    return [one.strip() for one in request.headers.get(header, "").split(",") if one.strip()]
