"""Topics, devices and field names come from the catalogue: any folder of synthetic pilots can be simulated."""

from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from collectors.clock_rules import Window
from collectors.ingest import Ingest
from collectors.message import RawMessage
from collectors.simulator import Simulated, history
from collectors.topics import Roster
from config.catalogue import Catalogue, load_catalogue
from tests.unit.simulator.telling import NOW

PILOT = """
slug = "tartu"
name = "Tartu"
country = "EE"
time_zone = "Europe/Tallinn"
synthetic = true

[[feeds]]
id = "bikes"
topic = "city/tartu/rides"
stream = "usage"
heartbeat_every = "5m"
synthetic = true

[[feeds]]
id = "docks"
topic = "city/tartu/docks"
stream = "usage"
synthetic = true

[[feeds]]
id = "air"
topic = "pilots/tartu/sensor/+"
stream = "sensor"
decoder = "flat_json"
expect_every = "30m"
devices = ["esp-1", "esp-2"]
synthetic = true

[feeds.map]
device = "meta.node"
time = "at"
time_format = "epoch_s"
id = "meta.n"
items = "sensordatavalues"

[feeds.map.values.P1]
quantity = "pm10"
unit = "ug/m3"

[feeds.map.values.temperature]
quantity = "temperature"
unit = "C"

[[feeds]]
id = "real"
topic = "pilots/tartu/engagement/real"
stream = "engagement"
"""


@pytest.fixture(scope="module")
def tartu(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    folder = tmp_path_factory.mktemp("pilots")
    (folder / "tartu.toml").write_text(PILOT)
    (folder / "real.toml").write_text(
        Path("config/pilots/malmo.toml")
        .read_text()
        .replace("malmo", "real")
        .replace("synthetic = true", "synthetic = false")
    )
    return load_catalogue(folder)


@pytest.fixture(scope="module")
def messages(tartu: Catalogue) -> list[Simulated]:
    return list(history(tartu, 3, NOW, 4))


def test_every_synthetic_feed_speaks_on_its_own_topic_and_no_other_feed_does(messages: list[Simulated]) -> None:
    topics = {message.topic for message in messages}
    assert topics == {"city/tartu/rides", "city/tartu/docks", "pilots/tartu/sensor/esp-1", "pilots/tartu/sensor/esp-2"}


def test_readings_have_the_shape_that_the_feed_s_map_names(messages: list[Simulated]) -> None:
    body = msgspec.json.decode(next(m.payload for m in messages if m.topic.endswith("esp-2")))
    assert body["meta"]["node"] == "esp-2"
    assert isinstance(body["at"], int)
    assert [item["value_type"] for item in body["sensordatavalues"]] == ["P1", "temperature"]


def test_only_feeds_that_declare_heartbeats_send_them(messages: list[Simulated]) -> None:
    assert {m.topic for m in messages if b"feed.heartbeat" in m.payload} == {"city/tartu/rides"}


def test_the_collector_accepts_all_of_it(tartu: Catalogue, messages: list[Simulated]) -> None:
    ingest = Ingest(Roster(tartu, "main"), Window())
    judged = [ingest.judge(RawMessage(topic=m.topic, payload=m.payload, received_ns=NOW)) for m in messages]
    assert not [result for result in judged if not result.events]


def test_where_readings_would_leave_no_room_every_nth_is_kept(tartu: Catalogue) -> None:
    found = [m for m in history(tartu, 3, NOW, 104, 60_000) if "/sensor/" in m.topic]
    times = sorted({m.time_ns for m in found})
    assert min(b - a for a, b in pairwise(times)) > 30 * 60 * 1_000_000_000
    assert len(found) <= 0.46 * 60_000
