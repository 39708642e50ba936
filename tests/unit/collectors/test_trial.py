"""`periscope try`: what it says of a message, and that it says what the collector would do."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from collectors.trial import Trial, Tried, messages_of, summary
from config.catalogue import Feed
from config.problems import ConfigError
from tests.command import periscope
from tests.unit.collectors.places import AIR, NOW_NS, action, air, app, catalogue, pilot, reading

CASES = Path(__file__).parents[2] / "data/decoders"
PILOT = """slug = "lund"
name = "Lund"
country = "SE"
time_zone = "Europe/Stockholm"
[[feeds]]
id = "hall"
topic = "zigbee2mqtt/+"
stream = "sensor"
preset = "zigbee2mqtt"
"""


def tried(payload: bytes, feed: Feed) -> Tried:
    (one,) = Trial(catalogue(pilot(feed)), "bremen", feed.id, None, NOW_NS).run([("message", payload)])
    return one


def test_a_sound_message_is_shown_with_its_events_their_time_rule_and_their_ids() -> None:
    one = tried(action(), app())
    assert one.fate == "written"
    assert "2019-03-01T12:00:00.000Z  action.performed  count 1  time by payload  id app/e-1" in "\n".join(one.lines())


def test_a_message_that_only_the_clock_refuses_is_shown_decoded_with_the_remedy() -> None:
    one = tried(reading(time="2015-01-01T00:00:00Z", pm10=3), air())
    assert (one.fate, one.events[0].value) == ("dead_lettered", 3.0)
    assert "set accept_since" in one.remedy
    assert tried(reading(time="2015-01-01T00:00:00Z", pm10=3), air(accept_since=date(2015, 1, 1))).fate == "written"


def test_good_and_bad_points_of_one_message_are_shown_with_their_remedies() -> None:
    quantities = {"a": {"quantity": "no2", "unit": "mg/m3"}, "b": {"quantity": "temperature", "range": [-40, 60]}}
    feed = air(map={"time": "at", "device": "device", "values": quantities})
    one = tried(reading(a=0.04, b=300), feed)
    assert (one.fate, [event.value for event in one.events]) == ("dead_lettered", [40.0])
    shown = "\n".join(one.lines())
    assert "d1 no2 = 40 ug/m3" in shown
    assert "temperature: validate/implausible" in shown
    assert "change: widen range" in shown
    assert [point["point"] for point in one.facts()["points"]] == ["temperature"]
    assert "of 1 messages 1 events would be written and 1 points dead-lettered" in summary([one])


def test_a_value_that_is_hardly_true_is_remarked_upon_and_written() -> None:
    feed = air(map={"time": "at", "device": "device", "values": {"a": {"quantity": "temperature"}}})
    one = tried(reading(a=2050), feed)
    assert one.fate == "written"
    assert "outside what is plausible, -50 to 60 Cel" in "\n".join(one.lines())
    assert list(tried(reading(a=20.5), feed).remarks()) == []


FORMATS = {
    "senml/base_fields_hold_until_replaced": "senml",
    "senml/cbor": "senml",
    "ngsi_v2/notification_of_two_entities": "ngsi_v2",
    "ngsi_v2/key_values": "ngsi_v2",
    "ngsi_ld/notification_in_the_mqtt_wrapper": "ngsi_ld",
    "ngsi_ld/normalized": "ngsi_ld",
    "things_stack/wrapped_by_the_storage": "things_stack",
    "chirpstack/uplink": "chirpstack",
    "line_protocol/point": "line_protocol",
    "cloudevents/action_of_a_consenting_person": "cloudevents",
}


@pytest.mark.parametrize("case", FORMATS)
def test_a_message_of_another_format_is_told_with_the_decoder_to_set(case: str) -> None:
    payload = next((CASES / case).glob("input.*")).read_bytes()
    wrong = app() if FORMATS[case] != "cloudevents" else air(decoder="senml")
    assert f'set decoder = "{FORMATS[case]}" on the feed' in tried(payload, wrong).remedy


def test_an_entity_with_a_source_is_not_taken_for_an_event() -> None:
    entity = {"id": "Air-1", "type": "AirQualityObserved", "source": "https://example.org", "no2": 3}
    assert 'set decoder = "ngsi_v2"' in tried(json.dumps(entity).encode(), air()).remedy
    event = {"id": "e-1", "type": "action.performed", "source": "app"}
    assert 'set decoder = "cloudevents"' in tried(json.dumps(event).encode(), air()).remedy


@pytest.mark.parametrize(
    ("changed", "remedy"),
    [
        (
            {"pm10": None, "PM_10": 3},
            "none of pm10, pm25 holds a number here; this message has at, device, pm10, PM_10",
        ),
        ({"pm10": None, "PM_10": 3}, 'write for example "pm10" = {quantity = "pm10"}'),
        ({"at": None}, "(time = ...); this message has at, device, pm10"),
        ({"device": None}, "(device = ...); this message has at, device, pm10"),
        ({"pm10": "high"}, "to missing"),
        ({"at": "yesterday"}, "set time_format in [feeds.map]"),
    ],
)
def test_what_the_map_lacks_is_told_with_what_the_message_has(changed: dict[str, Any], remedy: str) -> None:
    whole = {"at": "2019-03-01T12:00:00Z", "device": "d", "pm10": 3, **changed}
    assert remedy in tried(json.dumps(whole).encode(), air()).remedy


def test_a_message_given_twice_is_shown_as_a_duplicate() -> None:
    trial = Trial(catalogue(), "bremen", "air", None, NOW_NS)
    found = list(trial.run([("a", reading(pm10=1)), ("b", reading(pm10=1)), ("c", b"x"), ("d", reading())]))
    assert [one.fate for one in found] == ["written", "duplicate", "dead_lettered", "dropped"]
    assert summary(found) == (
        "1 of 4 messages would be written, as 1 events; 1 dead-lettered; 1 dropped by a rule; 1 duplicates"
    )


def test_no_person_is_shown_and_no_key_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    one = tried(action(user="ada@example.org"), app(person_id="data.user", consent="cohort"))
    assert one.fate == "written"
    assert "ada" not in json.dumps(one.facts())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("where", "feed", "topic"), [("genoa", "app", None), ("bremen", "none", None), ("bremen", "app", AIR)]
)
def test_an_unknown_pilot_feed_or_topic_is_told(where: str, feed: str, topic: str | None) -> None:
    with pytest.raises(ConfigError, match=r"choose from|belongs to bremen's feed air"):
        Trial(catalogue(), where, feed, topic, NOW_NS)


def test_json_lines_hold_a_message_per_line(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"{}\n\n[]\r\n")
    (tmp_path / "a.json").write_bytes(b"{\n}\n")
    assert list(messages_of(tmp_path / "a.jsonl")) == [("a.jsonl line 1", b"{}"), ("a.jsonl line 3", b"[]")]
    assert list(messages_of(tmp_path / "a.json")) == [("a.json", b"{\n}\n")]


def test_the_command_shows_a_message_and_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "pilots").mkdir()
    (tmp_path / "pilots/lund.toml").write_text(PILOT)
    (tmp_path / "m.json").write_text('{"temperature": 27.34}')
    words = ["try", "m.json", "--pilot", "lund", "--feed", "hall", "--catalogue", "pilots", "--state", "state"]
    done = periscope(*words, "--topic", "zigbee2mqtt/kitchen", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "kitchen temperature = 27.34 Cel  time by receipt" in done.stdout
    (message,) = json.loads(periscope(*words, "--json", cwd=tmp_path).stdout)["messages"]
    assert (message["fate"], message["events"][0]["device"]) == ("written", "example")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.json", "pilots"]
    (tmp_path / "m.json").write_text("online")
    assert periscope(*words, cwd=tmp_path).returncode == 1
    (tmp_path / "m.json").unlink()
    assert "cannot be read: No such file" in periscope(*words, cwd=tmp_path).stderr


def test_names_of_attributes_and_of_wrapped_uplinks_are_told_as_a_map_would_write_them() -> None:
    values = {"NO2": {"quantity": "no2", "unit": "ug/m3"}}
    number = {"type": "Number", "value": 4, "metadata": {}}
    entity = {"id": "Air-7", "type": "AirQualityObserved", "no2": number, "https://uri.etsi.org/co": number}
    one = tried(
        json.dumps({"subscriptionId": "5", "data": [entity]}).encode(), air(decoder="ngsi_v2", map={"values": values})
    )
    assert one.rule == "no_reading"
    assert 'this message has no2, co; write for example "no2" = {quantity = "no2"}' in one.remedy
    wrapped = {"metadata": {}, "body": {"type": "Notification", "data": [entity]}}
    assert (
        "this message has no2, co;"
        in tried(json.dumps(wrapped).encode(), air(decoder="ngsi_ld", map={"values": values})).remedy
    )
    uplink = {"end_device_ids": {"device_id": "d"}, "uplink_message": {"decoded_payload": {"no2": 4}}}
    one = tried(json.dumps({"result": uplink}).encode(), air(decoder="things_stack", map={"values": values}))
    assert "this message has no2;" in one.remedy
