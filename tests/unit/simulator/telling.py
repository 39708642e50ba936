"""The packaged six cities, told once per seed, as rows that plain pandas can count."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import msgspec
import pandas as pd

from collectors.simulator import Simulated, history
from config.catalogue import Catalogue, load_catalogue
from config.settings import PACKAGED_PILOTS

NOW = 1_795_648_062_037_000_000  # 2026-11-25T23:07:42.037Z: already the 26th in every pilot's zone but Lisbon's
MAIN_SEED = 7
DAY = 86_400_000_000_000


@cache
def packaged() -> Catalogue:
    return load_catalogue(Path(PACKAGED_PILOTS))


@cache
def told(seed: int, weeks: int, most: int = 400_000) -> list[Simulated]:
    return list(history(packaged(), seed, NOW, weeks, most))


def rows(messages: Iterable[Simulated]) -> pd.DataFrame:
    """One row per CloudEvent: pilot, feed topic's stream, type, time, local date, person, id, data."""
    found = []
    for message in messages:
        body = msgspec.json.decode(message.payload)
        if "specversion" in body:
            _, pilot, stream, _ = message.topic.split("/")
            data = body["data"]
            found.append((pilot, stream, body["type"], message.time_ns, data.get("actor_key"), body["id"], data))
    table = pd.DataFrame(found, columns=["pilot", "stream", "type", "time_ns", "actor", "id", "data"])
    stamps = pd.to_datetime(table.time_ns, utc=True)
    table["day"] = ""
    for slug, part in table.groupby("pilot"):
        zone = packaged().pilots[str(slug)].time_zone
        table.loc[part.index, "day"] = stamps[part.index].dt.tz_convert(zone).dt.strftime("%Y-%m-%d")
    return table


@cache
def _all(seed: int, weeks: int) -> pd.DataFrame:
    return rows(told(seed, weeks))


def counted(seed: int, weeks: int = 104) -> pd.DataFrame:
    """The newest weeks of a seed; two years are told only where they are needed, as they take seconds."""
    table = _all(seed, 26 if weeks <= 26 and seed != MAIN_SEED else 104)
    return table if weeks >= 104 else table[table.time_ns > NOW - weeks * 7 * DAY]
