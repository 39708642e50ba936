"""CloudEvents whose attributes came as MQTT 5 user properties."""

from pathlib import Path

import pytest
from paho.mqtt.client import MQTTMessage
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from collectors.clock_rules import Window
from collectors.ingest import Ingest, Judged
from collectors.intake import Intake
from collectors.message import RawMessage
from collectors.pseudonym import PseudonymKeys
from collectors.receiver import MqttReceiver
from collectors.topics import Roster
from config.settings import Mqtt
from tests.unit.collectors.places import APP, NOW_NS, app, catalogue, pilot

ATTRIBUTES = [
    ("specversion", "1.0"), ("id", "e-1"), ("source", "/pilots/bremen/app"), ("type", "action.performed"),
    ("time", "2019-03-01T12:00:00Z"),
]  # fmt: skip


def judge(properties: list[tuple[str, str]], payload: bytes, kind: str = "application/json") -> Judged:
    roster = Roster(catalogue(pilot(app(synthetic=False))), "main")
    entry = Intake(roster, PseudonymKeys(Path())).entry(APP, payload, NOW_NS, kind, properties=properties)
    if entry.fault is not None:
        return Judged([], fault=entry.fault)
    message = RawMessage(topic=entry.topic, payload=entry.payload, received_ns=NOW_NS, content_type=entry.content_type)
    return Ingest(roster, Window()).judge(message)


def test_attributes_and_data_become_one_event() -> None:
    (event,) = judge(ATTRIBUTES, b'{"count": 3, "consent": "count_only"}').events
    assert (event.event_id, event.type, event.count) == ("app/e-1", "action.performed", 3)


def test_an_event_without_data_is_whole() -> None:
    assert judge(ATTRIBUTES, b"").events[0].event_id == "app/e-1"


@pytest.mark.parametrize(
    ("more", "payload", "kind", "expected"),
    [
        ([("id", "e-2")], b"{}", "", "identity/doubled_key"),
        ([("pilot", "genoa")], b"{}", "", "identity/identity_mismatch"),
        ([], b'{"a":1},"id":"e-9"', "", "decode/not_json"),
        ([], b'{"pilot":"bremen","pilot":"genoa"}', "", "identity/doubled_key"),
        ([], b"\x00\x01", "application/octet-stream", "decode/binary_data"),
        ([("note", "x" * 5000)], b"{}", "", "decode/long_string"),
        ([("note", "x")] * 65, b"{}", "", "decode/too_many_items"),
        ([], b'"' + b"x" * 4000 + b'"', "", "validate/bad_data"),
        ([], b"[" * 40 + b"]" * 40, "", "decode/too_deep"),
    ],
)
def test_what_cannot_be_one_event_is_refused(
    more: list[tuple[str, str]], payload: bytes, kind: str, expected: str
) -> None:
    fault = judge(ATTRIBUTES + more, payload, kind).fault
    assert fault is not None
    assert f"{fault.stage}/{fault.code}" == expected


def test_user_properties_of_other_messages_change_nothing() -> None:
    intake = Intake(Roster(catalogue(), "main"), PseudonymKeys(Path()))
    assert intake.entry(APP, b"{}", NOW_NS, properties=[("trace", "1")]).payload == b"{}"
    kind = "application/cloudevents+json"
    assert intake.entry(APP, b"{}", NOW_NS, kind, properties=ATTRIBUTES).payload == b"{}"


def test_the_receiver_hands_on_the_user_properties_of_a_message() -> None:
    receiver = MqttReceiver(Mqtt(), "test", [], [], lambda: NOW_NS, lambda error: None)
    message = MQTTMessage(mid=1, topic=APP.encode())
    message.properties = Properties(PacketTypes.PUBLISH)
    message.properties.UserProperty = ATTRIBUTES
    receiver._on_message(None, None, message)
    assert list(receiver.queue.get_nowait().properties) == ATTRIBUTES
