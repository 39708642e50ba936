"""Every simulated message passes the collector's own checks with the packaged catalogue."""

from collections import Counter
from threading import Event

import msgspec

from collectors.clock_rules import Window
from collectors.ingest import Ingest
from collectors.message import RawMessage
from collectors.simulator import live
from collectors.topics import Roster
from config.catalogue import Catalogue
from tests.schemas import against_schemas
from tests.unit.simulator.telling import NOW, told
from tests.unit.simulator.test_live import Time


def faults(catalogue: Catalogue, messages: list[RawMessage]) -> Counter[str]:
    ingest, found = Ingest(Roster(catalogue, "main"), Window()), Counter[str]()
    for message in messages:
        judged = ingest.judge(message)
        found[judged.fault.code if judged.fault else judged.dropped or "accepted"] += 1
        assert all(event.synthetic for event in judged.events)
    return found


def test_history_is_accepted_to_the_last_message_its_newest_and_its_oldest_part(catalogue: Catalogue) -> None:
    told_all = told(7, 104)
    messages = [
        RawMessage(topic=m.topic, payload=m.payload, received_ns=NOW) for m in [*told_all[:60_000], *told_all[-10_000:]]
    ]
    assert faults(catalogue, messages) == {"accepted": len(messages)}


def test_every_kind_of_event_is_as_its_published_schema_says() -> None:
    told_of: Counter[str] = Counter()
    for message in told(7, 104):
        body = msgspec.json.decode(message.payload)
        if "specversion" in body and told_of[body["type"]] < 40:
            told_of[body["type"]] += 1
            assert against_schemas(message.payload) == []
    assert len(told_of) > 20


def test_live_messages_are_accepted_retained_heartbeats_too(catalogue: Catalogue) -> None:
    time, found = Time(1.5), list[RawMessage]()
    stop: Event = time
    live(
        catalogue,
        7,
        lambda topic, payload, retain: found.append(
            RawMessage(topic=topic, payload=payload, received_ns=time.now, retained=retain)
        ),
        time.clock,
        stop,
    )
    assert faults(catalogue, found) == {"accepted": len(found)}
