"""Beginnings of feeds for what many devices send alike: one TOML file each in `config/presets`.

Promises: what a feed says itself wins over its preset, field by field of its map; a preset is only data, so a further
one is one more file.
"""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "presets"


def names() -> list[str]:
    """The presets there are."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def applied(table: Any) -> Any:
    """A feed's table with its preset beneath; raises ValueError, with the names to choose from, for an unknown one."""
    if not isinstance(table, dict) or table.get("preset") is None:
        return table
    if table["preset"] not in names():
        raise ValueError(f'there is no preset "{table["preset"]}"; choose from {", ".join(names())}')
    preset, own = _read(table["preset"]), table.get("map", {})
    values = own.get("values", {}) if isinstance(own, dict) else None
    if not isinstance(values, dict):
        return table  # of a wrong shape, which the feed's own check tells
    beneath = preset["map"]
    return {**preset, **table, "map": {**beneath, **own, "values": {**beneath.get("values", {}), **values}}}


@cache
def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / f"{name}.toml").read_text())
