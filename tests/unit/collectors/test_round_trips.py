"""What is decoded, encoded and decoded again is the same, in every format; the encoders are of the tests."""

import json
import string
import tomllib
from collections.abc import Iterable
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from collectors.decoders import DECODERS
from collectors.decoders.line_protocol_points import points
from collectors.message import RawMessage, Undecodable
from collectors.topics import Place
from config.catalogue import Feed
from config.events.codes import ACTOR_KINDS
from config.formats import FORMATS as NAMES
from pipeline.model import Event, place_in_time
from pipeline.store.line_protocol import fields, prefix
from tests.unit.collectors import encoders
from tests.unit.collectors.encoders import FORMATS, UNITS, Format, Sample, cloudevent
from tests.unit.collectors.places import NOW_NS

CASES = sorted((Path(__file__).parents[2] / "data/decoders").glob("*/*"))
BERLIN = ZoneInfo("Europe/Berlin")

# 2015 to 2223: SenML counts times before 1978 from the receipt, and LoRaWAN's before 2015 are not believed.
moments = st.integers(1_420_070_400_000, 8_000_000_000_000)
numbers = st.one_of(st.floats(-1e100, 1e100), st.integers(-(2**53), 2**53).map(float))
values = st.dictionaries(st.sampled_from(list(UNITS)), numbers, min_size=1).map(
    lambda measured: {name: measured[name] for name in UNITS if name in measured}
)
# A name that SenML allows, without a sign at its end that joins it to the measure; and any printed text.
plain = st.text(string.ascii_letters + string.digits + "-:./_", min_size=1, max_size=60).filter(
    lambda text: text[0].isalnum() and text[-1].isalnum()
)
printed = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=60).filter(
    lambda text: text.isprintable() and not text.endswith("\\")
)


def read(payload: bytes, feed: Feed) -> list[Event]:
    message = RawMessage(topic=feed.topic, payload=payload, received_ns=NOW_NS)
    decoded = DECODERS[feed.decoder](message, Place("bremen", feed.id, feed, BERLIN))
    assert (decoded.empty, decoded.faults) == (0, ())
    return decoded.events


def samples_of(events: Iterable[Event]) -> list[Sample]:
    found: dict[tuple[str, int], dict[str, float]] = {}
    for event in events:
        assert event.value is not None
        found.setdefault((event.device, event.floor_ns // 1_000_000), {})[event.quantity] = event.value
    return [Sample(device, time_ms, measured) for (device, time_ms), measured in found.items()]


def same(one: Iterable[Sample], other: Iterable[Sample]) -> bool:
    return sorted(one, key=repr) == sorted(other, key=repr)


@pytest.mark.parametrize("name", FORMATS)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_readings_written_in_a_format_are_read_and_written_and_read_again_as_they_were(
    name: str, data: st.DataObject
) -> None:
    form = FORMATS[name]
    device = plain if form.feed.decoder == "senml" else printed
    one = st.builds(Sample, device, moments, values)
    samples = data.draw(st.lists(one, min_size=1, max_size=5 if form.several else 1, unique_by=lambda s: s[:2]))
    payload = form.encode(samples)
    events = read(payload, form.feed)
    assert same(samples_of(events), samples)
    assert {event.unit for event in events} <= set(UNITS.values())
    again = form.encode(samples_of(events))
    assert same(samples_of(read(again, form.feed)), samples)
    if again == payload:  # then so is every id; some feeds give readings in the order of their map
        assert read(again, form.feed) == events


def test_every_format_of_measurements_has_an_encoder() -> None:
    assert {form.feed.decoder for form in FORMATS.values()} == set(NAMES) - {"cloudevents"}


def _of_case(case: Path) -> tuple[Feed, list[Event]]:
    feed = Feed.model_validate({"decoder": case.parent.name, **tomllib.loads((case / "feed.toml").read_text())})
    message = RawMessage(topic=feed.topic, payload=next(case.glob("input.*")).read_bytes(), received_ns=NOW_NS)
    try:
        return feed, DECODERS[feed.decoder](message, Place("bremen", feed.id, feed, BERLIN)).events
    except Undecodable:
        return feed, []


def _form_of(decoder: str, quantities: dict[str, str]) -> list[Format]:
    """The formats of a decoder, each with a feed for the quantities of a case."""
    table = {name: {"quantity": name, "unit": unit} for name, unit in quantities.items()}
    found = []
    for form in FORMATS.values():
        if form.feed.decoder == decoder:
            given = json.loads(form.feed.model_dump_json(exclude_unset=True))
            found.append(form._replace(feed=Feed.model_validate({**given, "map": {**given["map"], "values": table}})))
    return found


@pytest.mark.parametrize("case", [one for one in CASES if one.parent.name != "cloudevents"],
                         ids=lambda case: f"{case.parent.name}/{case.name}")  # fmt: skip
def test_what_a_case_decodes_to_survives_being_written_and_read(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    feed, events = _of_case(case)
    events = [event for event in events if "#" not in event.event_id and not event.data.get("dataset")]
    units = {event.quantity: event.unit for event in events}
    monkeypatch.setattr(encoders, "UNITS", units)
    for form in _form_of(feed.decoder, units) if events else ():
        for chosen in [samples_of(events)] if form.several else [[one] for one in samples_of(events)]:
            assert same(samples_of(read(form.encode(chosen), form.feed)), chosen)


# What the protocol can say: no control character, no backslash at an end, no comment.
names = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=20).filter(
    lambda text: not text.endswith("\\") and not text.startswith("#")
)
kinds = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.integers(-(2**63), 2**63 - 1),
    st.text(st.characters(exclude_categories=("Cs",)), max_size=20),
)  # fmt: skip


@given(
    name=names, tags=st.dictionaries(names, names, max_size=3),
    given=st.dictionaries(names, kinds, min_size=1, max_size=3),
    time=st.integers(-(2**63), 2**63 - 1),
)  # fmt: skip
@example(name="a b,c=d", tags={"e f": "g,h=i"}, given={'j "k"': 'l "m" \\ \n'}, time=0)
@settings(max_examples=300, deadline=None)
def test_a_point_of_line_protocol_is_read_as_our_encoder_wrote_it(
    name: str, tags: dict[str, str], given: dict[str, float | bool | str], time: int
) -> None:
    line = f"{prefix(name, list(tags.items()))} {fields(list(given.items()))} {time}"
    (point,) = points(line.encode())
    assert (point.name, point.tags, point.time) == (name, tags, time)
    assert [(key, type(value), value) for key, value in point.fields] == [
        (key, type(value), value) for key, value in given.items()
    ]


whole = st.integers(0, 2**53 - 1)
texts = st.text(st.characters(exclude_categories=("C",)), min_size=1, max_size=40)
events = st.builds(
    Event,
    event_id=st.tuples(plain.map(lambda text: text.replace("/", "-")), texts).map("/".join),
    pilot=st.just("bremen"), feed=st.just("s"), stream=st.just("usage"),
    type=st.sampled_from(["action.performed", "session.started"]),
    time_ns=moments.map(lambda ms: ms * 1_000_000), time_rule=st.just("payload"), received_ns=st.just(NOW_NS),
    time_precision=st.sampled_from(["ms", "s", "minute", "hour", "day"]),
    synthetic=st.booleans(), revision=whole, count=whole, consent=st.sampled_from(["none", "count_only", "cohort"]),
    actor_key=st.none() | st.text(string.ascii_letters + "_-", min_size=16, max_size=64),
    actor_kind=st.sampled_from(sorted(ACTOR_KINDS)), service_id=st.none() | texts,
    data=st.dictionaries(st.sampled_from(["step", "done", "note"]), st.booleans() | texts | whole, max_size=3),
)  # fmt: skip


@given(event=events)
@settings(max_examples=200, deadline=None)
def test_an_event_written_as_a_cloudevent_is_read_as_it_was(event: Event) -> None:
    feed = Feed(id="s", topic="pilots/bremen/usage/s", stream="usage")
    (found,) = read(cloudevent(event), feed)
    (again,) = read(cloudevent(found), feed)
    assert again == found
    placed = msgspec.structs.replace(event, time_ns=found.time_ns)
    assert found == placed
    assert event.time_precision == "day" or found.time_ns == place_in_time(
        event.floor_ns, {"ms": 1, "s": 1000, "minute": 60_000, "hour": 3_600_000}[event.time_precision] * 1_000_000,
        event.event_id,
    )  # fmt: skip


@pytest.mark.parametrize("case", [one for one in CASES if one.parent.name == "cloudevents"], ids=lambda case: case.name)
def test_what_a_cloudevent_decodes_to_survives_being_written_and_read(case: Path) -> None:
    feed, found = _of_case(case)
    for event in found:
        if "/" not in event.event_id:
            continue  # derived from the payload, which the encoder writes otherwise
        (again,) = read(cloudevent(event), feed)
        assert msgspec.structs.replace(again, time_rule=event.time_rule) == event
