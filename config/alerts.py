"""Who is told of incidents and how often: `alerts.toml`, packaged, with a catalogue folder's changes."""

import tomllib
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from config.problems import ConfigError, Problem, problems_of

FILE: Final = "alerts.toml"
PACKAGED: Final = Path(__file__).parent / FILE
NAME: Final = r"^[a-z][a-z0-9_]{0,39}$"
Severity = Literal["notice", "warning", "critical"]
Kind = Literal["drop_off", "feed_silent", "evaluation_failed", "channel_failing"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class DeliveryRules(_Strict):
    """How messages are put together and how often they come."""

    group_wait_s: float = Field(10, ge=0, le=3600)
    storm_per_h: int = Field(20, ge=1, le=1000)
    repeat_days: float = Field(7, gt=0, le=365)
    repeat_fault_h: float = Field(24, gt=0, le=24 * 365)


class ChannelRules(_Strict):
    """What one channel hears: no pilots or kinds means all of them."""

    pilots: list[str] = []
    kinds: list[Kind] = []
    severity: Severity = "notice"
    watchdog: bool = False


class AlertRules(_Strict):
    """The whole file."""

    delivery: DeliveryRules = DeliveryRules()
    channels: dict[str, ChannelRules] = {}


def load_alerts(folder: Path | None = None) -> AlertRules:
    """The packaged rules with a catalogue folder's changes; raises ConfigError that lists every problem."""
    table = _table(PACKAGED)
    own = None if folder is None else folder / FILE
    if own is not None and own.is_file():
        for head, changes in _table(own).items():
            known = table.get(head)
            table[head] = {**known, **changes} if isinstance(known, dict) and isinstance(changes, dict) else changes
    try:
        return AlertRules.model_validate(table)
    except ValidationError as error:
        raise ConfigError(problems_of(error, FILE)) from None


def problems(folder: Path, pilots: set[str]) -> list[Problem]:
    """What is wrong with a catalogue folder's own rules."""
    try:
        rules = load_alerts(folder)
    except ConfigError as error:
        return error.problems
    return [
        Problem(
            FILE, f"channels.{name}.pilots", f"there is no pilot {slug}", f"choose from {', '.join(sorted(pilots))}"
        )
        for name, one in rules.channels.items()
        for slug in one.pilots
        if slug not in pilots
    ]


def _table(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError([Problem(FILE, "", f"is not TOML: {error}", "mend the syntax at that place")]) from None
