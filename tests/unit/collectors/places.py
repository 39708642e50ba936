"""A small catalogue and messages for it, as the tests of the collectors need them."""

import json
from pathlib import Path
from typing import Any

from collectors.message import RawMessage
from config.catalogue import Catalogue, Common, Feed, Pilot

NOW_NS = 1_551_484_800_000_000_000  # 2019-03-02T00:00:00Z
APP = "pilots/bremen/usage/app"
AIR = "pilots/bremen/sensor/air"


def app(**more: Any) -> Feed:
    return Feed.model_validate({"id": "app", "topic": APP, "stream": "usage", **more})


def air(**more: Any) -> Feed:
    table = {
        "time": "at", "device": "device", "values": {"pm10": {"quantity": "pm10", "unit": "ug/m3"},
                                                      "pm25": {"quantity": "pm2-5", "unit": "ug/m3"}},
    }  # fmt: skip
    return Feed.model_validate(
        {"id": "air", "topic": AIR, "stream": "sensor", "decoder": "flat_json", "map": table, **more}
    )


def pilot(*feeds: Feed, slug: str = "bremen", zone: str = "Europe/Berlin") -> Pilot:
    return Pilot(slug=slug, name=slug.title(), country="DE", time_zone=zone, feeds=list(feeds) or [app(), air()])


def catalogue(*pilots: Pilot) -> Catalogue:
    found = pilots or (pilot(),)
    return Catalogue(common=Common(), pilots={p.slug: p for p in found}, config_hash="0", folder=Path())


def action(id_: str = "e-1", time: str | None = "2019-03-01T12:00:00Z", **data: Any) -> bytes:
    """A CloudEvents payload of one use of the service."""
    event = {
        "specversion": "1.0", "id": id_, "source": "/pilots/bremen/app", "type": "action.performed",
        "data": {"synthetic": False, **data},
    }  # fmt: skip
    return json.dumps(event if time is None else {**event, "time": time}).encode()


def reading(device: str = "d1", time: str = "2019-03-01T12:00:00Z", **values: Any) -> bytes:
    return json.dumps({"at": time, "device": device, **values}).encode()


def raw(payload: bytes, topic: str = APP, received_ns: int = NOW_NS, retained: bool = False) -> RawMessage:
    return RawMessage(topic=topic, payload=payload, received_ns=received_ns, retained=retained)
