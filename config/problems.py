"""How wrong configuration is told: place, key, what is wrong, what to do. Values are never repeated."""

from dataclasses import dataclass

from pydantic import ValidationError


@dataclass(frozen=True)
class Problem:
    """One thing to mend: `place` is a file or variable, `key` a dotted path inside it."""

    place: str
    key: str
    what: str
    remedy: str

    def __str__(self) -> str:
        where = f"{self.place}: {self.key}" if self.key else self.place
        return f"{where}: {self.what}" + (f" ({self.remedy})" if self.remedy else "")


class ConfigError(Exception):
    """Configuration that cannot be used; `problems` lists all of it."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


_REMEDIES = {
    "missing": "add this key",
    "extra_forbidden": "remove it or correct its spelling",
}


def problems_of(error: ValidationError, place: str) -> list[Problem]:
    """A pydantic error as problems. Only location and message are used: inputs may hold secrets."""
    found = []
    for item in error.errors(include_url=False, include_context=False, include_input=False):
        key = ".".join(str(part) for part in item["loc"])
        what = {"missing": "is missing", "extra_forbidden": "is not a known key"}.get(item["type"], item["msg"])
        found.append(Problem(place, key, what.removeprefix("Value error, "), _REMEDIES.get(item["type"], "")))
    return found
