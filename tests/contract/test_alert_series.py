"""The state series of alerts, on each store: what was written is read, and only what differs is written again."""

import msgspec

from pipeline.alerts.states import Point, StateSeries
from pipeline.store.port import Store
from tests.unit.pipeline.watching import Watched, said


def read(store: Store) -> list[Point]:
    records = store.get("alert", "test", 0, 1 << 62, key="engagement")
    return [msgspec.json.decode(one.body, type=dict[str, Point])["contributions"] for one in records]


def test_the_state_of_each_day_is_in_the_store(store: Store) -> None:
    town = Watched(store=store)
    for number in range(40):
        town.pass_day(number, said(number, 12 if number < 34 else 1))
    town.look(39)
    points = read(store)
    assert [one.observed for one in points] == [12] * 34 + [1] * 6
    assert [one.state for one in points][:28] == ["learning"] * 27 + ["ok"]
    assert points[-1].state == "firing"
    assert points[-1].evidence > points[-1].threshold
    for number in range(34, 40):  # late events change six days, for a pipeline that was started anew
        town.pass_day(number, said(number, 12))
    town.series = StateSeries(store)
    town.look(39)
    assert [one.observed for one in read(store)] == [12] * 40
    assert read(store)[-1].state == "ok"
