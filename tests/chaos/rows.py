"""Which rows there are: a row is found by its module's name, `f01_kill` being F1."""

import importlib
import pkgutil
from collections.abc import Callable

import tests.chaos
from tests.chaos.harness import Place, Scale
from tests.chaos.outcome import Outcome

FAULTS = {
    "F1": "kill -9 at random", "F2": "kill at named points", "F3": "power cut", "F4": "broker restart and kill -9",
    "F5": "broker session lost", "F6": "InfluxDB away, slow or refusing", "F7": "bad points in a batch",
    "F8": "spool disk full or failing", "F9": "spool damage", "F10": "clocks", "F11": "fuzzed payloads",
    "F12": "size limits", "F13": "topic abuse", "F14": "poison", "F15": "one event many times",
    "F16": "reconnect storm, connection cut", "F17": "SIGTERM under load", "F18": "SIGSTOP and SIGCONT",
    "F19": "spool of another version", "F20": "two collectors", "F21": "pipeline crash, late data",
    "F22": "backup put back after an erasure",
}  # fmt: skip
Run = Callable[[Place, Scale], Outcome]


def found(wanted: list[str] | None = None) -> dict[str, Run]:
    """The rows in their order; KeyError for one that does not exist."""
    names = sorted(m.name for m in pkgutil.iter_modules(tests.chaos.__path__) if m.name[:1] == "f" and "_" in m.name)
    rows = {f"F{int(name[1:3])}": name for name in names}
    return {
        row: importlib.import_module(f"tests.chaos.{rows[row]}").run for row in (wanted if wanted is not None else rows)
    }
