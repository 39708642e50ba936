"""Who is looking: every query takes a Viewer and answers only for the pilots that it may see."""

from collections.abc import Iterable
from dataclasses import dataclass

from config.roles import Role


@dataclass(frozen=True)
class Viewer:
    """`pilots` None means every pilot of the catalogue; `account` and `name` are those of the account, if any."""

    role: Role = "viewer"
    pilots: frozenset[str] | None = None
    name: str = ""
    account: int | None = None

    def may_see(self, pilots: Iterable[str]) -> list[str]:
        """Those of `pilots` that this viewer may see, in the given order."""
        return [pilot for pilot in pilots if self.pilots is None or pilot in self.pilots]


EVERYTHING = Viewer("admin")
NOBODY = Viewer("viewer", frozenset())
