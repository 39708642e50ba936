"""The vocabulary on entry: what it refuses is set aside with its remedy, and comes back once the file names it."""

import json
from pathlib import Path
from typing import Any

import pytest

from collectors import dead_letters
from collectors.clock_rules import Window
from collectors.dead_changes import requeue
from collectors.gap_report import session_lost
from collectors.ingest import Ingest, Judged
from collectors.topics import Roster
from collectors.trial import Trial, Tried
from config.catalogue import Catalogue, Feed
from tests.schemas import against_schemas
from tests.unit.collectors.places import NOW_NS, action, app, catalogue, pilot, raw
from tests.unit.collectors.test_delivery import Bench


def event(kind: str, **data: Any) -> bytes:
    return action(**data).replace(b'"action.performed"', json.dumps(kind).encode())


def judge(payload: bytes, feed: Feed, **of_pilot: Any) -> Judged:
    city = pilot(feed).model_copy(update=of_pilot)
    return Ingest(Roster(catalogue(city), "main"), Window()).judge(raw(payload))


def said(judged: Judged) -> tuple[str, str]:
    assert judged.fault is not None
    return f"{judged.fault.stage}/{judged.fault.code}", judged.fault.text


@pytest.mark.parametrize("kind", ["bike.lent", "activity.hold", "eu.periscope.bike.lent.v2"])
def test_a_type_that_nobody_declared_is_set_aside(kind: str) -> None:
    assert said(judge(event(kind), app()))[0] == "validate/unknown_type"


def test_the_feed_or_the_core_types_of_the_pilot_may_name_more_types() -> None:
    assert judge(event("bike.lent", dock=3), app(extra_types=["bike.lent"])).events[0].data == {"dock": 3}
    assert judge(event("eu.periscope.bike.lent.v2"), app(extra_types=["bike.lent"])).events[0].type == "bike.lent"
    assert judge(event("bike.lent"), app(), core_types=["bike.lent"]).events
    assert said(judge(event("bike.returned"), app(extra_types=["bike.lent"])))[0] == "validate/unknown_type"


def test_a_field_that_a_type_does_not_know_is_kept_as_it_came() -> None:
    weather = {"rain": True, "mm": [1, 2.5, None]}
    assert judge(event("activity.held", weather=weather), app()).events[0].data == {"weather": weather}


def test_a_refusal_names_field_and_remedy_and_no_value() -> None:
    code, text = said(judge(event("activity.held", stage="Ada Lovelace"), app()))
    assert code == "validate/bad_stage"
    assert "co_design" in text
    assert "Ada" not in text


@pytest.mark.parametrize("kind", ["person", 3, ["citizen"], {"of": "citizen"}])
def test_a_stakeholder_group_is_one_of_the_list(kind: object) -> None:
    assert said(judge(action(actor_kind=kind), app()))[0] == "validate/bad_actor_kind"


def test_without_synthetic_in_the_payload_the_feeds_file_has_to_say_it() -> None:
    payload = action().replace(b'{"synthetic": false}', b"{}")
    code, text = said(judge(payload, app()))
    assert code == "validate/missing_synthetic"
    assert "set it on the feed" in text
    assert judge(payload, app(synthetic=False)).events[0].synthetic is False
    assert judge(payload, app(synthetic=True)).events[0].synthetic is True
    assert judge(action(), app(synthetic=True)).events[0].synthetic is True


def test_a_type_comes_in_by_a_requeue_once_the_pilots_file_names_it(tmp_path: Path) -> None:
    def cities(**more: Any) -> Catalogue:
        return catalogue(pilot(app(**more)))

    bench = Bench(tmp_path, cities())
    bench.send(event("bike.lend"), action("e-2"))
    bench.deliver()
    assert dead_letters.counted(bench.spool) == {("bremen", "validate", "unknown_type"): 1}
    bench.roster = Roster(cities(extra_types=["bike.lend"]), "main")
    bench.restart()
    assert requeue(bench.spool).done == 1
    bench.deliver()
    assert {found.type for found in bench.stored()} == {"bike.lend", "action.performed"}
    assert dead_letters.counted(bench.spool) == {}
    bench.end()


def tried(payload: bytes, feed: Feed) -> Tried:
    (one,) = Trial(catalogue(pilot(feed)), "bremen", feed.id, None, NOW_NS).run([("message", payload)])
    return one


@pytest.mark.parametrize(
    ("payload", "feed", "shown"),
    [
        (event("activity.hold"), app(), "did you mean activity.held?"),
        (event("bike.lent"), app(), "change: write the type as in docs/schemas/README.md, or name it in extra_types"),
        (event("activity.scheduled"), app(), "timing_basis is missing: give calendar, funding"),
        (event("decision.participated", decision_id="d", role="boss"), app(), "role has to be co_decider, consulted"),
        (action().replace(b'"synthetic": false', b""), app(), 'change: send "synthetic": true or false in data'),
    ],
)
def test_trying_a_message_shows_the_remedy(payload: bytes, feed: Feed, shown: str) -> None:
    one = tried(payload, feed)
    assert one.fate == "dead_lettered"
    assert shown in "\n".join(one.lines())


def test_what_the_collector_says_of_itself_is_as_published() -> None:
    for _, payload in session_lost("main", ["bremen"], 0, NOW_NS):
        assert against_schemas(payload) == []
