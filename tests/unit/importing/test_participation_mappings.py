"""The mappings for Decidim's open data and for plain attendance lists give events that the collector takes.

The samples have the columns that Decidim's own serializers write, flattened as its CSV export does; texts are made up.
"""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from collectors.clock_rules import Window
from collectors.import_mapping import ImportMapping, Mapper, Unmapped, WrongInput, load_mapping, topic_of
from collectors.import_rows import Rows
from collectors.ingest import Ingest
from collectors.message import RawMessage
from collectors.topics import Roster
from config.catalogue import load_catalogue
from config.problems import ConfigError
from pipeline.model import Event
from tests.schemas import against_schemas

FOLDER = Path(__file__).parents[3] / "config/examples/participation"
TOWN = load_catalogue(FOLDER)
NOW = int(datetime(2026, 5, 1, tzinfo=UTC).timestamp()) * 1_000_000_000
SPACE = "participatory_space/id;participatory_space/url;component/id"
PROPOSALS = f"""\
id;category/id;category/name/en;scope/id;scope/name/en;{SPACE};title/en;body/en;state;reference;answer/en;supports;\
endorsements/total_count;endorsements/user_endorsements;comments;attachments;followers;published_at;url
12;;;;;3;https://x.example/p/3;8;Benches;"More; benches, please";accepted;T-PROP-2026-03-12;Yes;31;0;;4;0;2;\
2026-03-14 09:30:00 UTC;https://x.example/12
13;;;;;3;https://x.example/p/3;8;Shade;Trees;;T-PROP-2026-03-13;;2;0;;0;0;1;2026-03-14 23:30:00 +0200;\
https://x.example/13
"""
COMMENTS = """\
id;created_at;body;locale;author/id;author/name;alignment;depth;user_group/id;user_group/name/en;commentable_id;\
commentable_type;root_commentable_url
7;2026-03-15 08:00:00 UTC;Good;en;99;Somebody Real;1;0;;;12;Decidim::Proposals::Proposal;https://x.example/12
"""
MEETINGS = f"""\
id;{SPACE};title/en;description/en;start_time;end_time;attendees;contributions;organizations;address;location/0;\
reference;comments;attachments;followers;url;related_proposals;related_results;published
5;3;https://x.example/p/3;9;Walk;Come;2026-03-20 17:00:00;2026-03-20 19:00:00;23;4;;Square 1;;T-MEET-2026-03-5;0;0;1;\
https://x.example/5;;;true
6;3;https://x.example/p/3;9;Draft;Come;2026-04-20 17:00:00;2026-04-20 19:00:00;0;0;;Square 1;;T-MEET-2026-04-6;0;0;1;\
https://x.example/6;;;false
"""
LIST = """\
date,activity,group,count,code
2026-03-20,T-MEET-2026-03-5,Residents,14,
2026-03-20,T-MEET-2026-03-5,Companies,3,
2026-03-20,T-MEET-2026-03-5,citizens,,card-0001
2026-03-20,T-MEET-2026-03-5,Martians,1,
"""


def events(folder: Path, name: str, text: str, revision: int = 1) -> tuple[list[Event], list[str]]:
    """What the collector would store of a file, and the reasons for the rows that became no message."""
    mapping = load_mapping(FOLDER / f"mappings/{name}.toml")
    path, topic = folder / f"{name}.csv", topic_of(TOWN, "town", mapping)
    path.write_text(text)
    ingest = Ingest(Roster(TOWN, "main"), Window())
    become = Mapper(mapping, "town", path.name, lambda code: f"pseudonym-of-{code}", revision)
    found, reasons = list[Event](), list[str]()
    with Rows(path, mapping) as rows:
        for number, row in rows:
            assert not isinstance(row, Unmapped)
            try:
                payload = become(row, number)
            except Unmapped as error:
                reasons.append(error.reason)
                continue
            judged = ingest.judge(RawMessage(topic=topic, payload=payload, received_ns=NOW))
            assert judged.fault is None, judged.fault
            assert against_schemas(payload) == []
            found += judged.events
    return found, reasons


def utc(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1_000_000_000


def test_proposals_are_ideas_at_the_hour_they_were_published_whatever_the_zone(tmp_path: Path) -> None:
    found, reasons = events(tmp_path, "decidim-proposals", PROPOSALS)
    assert [(event.event_id, event.type, event.data["kind"]) for event in found] == [
        ("decidim/proposal/12", "contribution.made", "idea"), ("decidim/proposal/13", "contribution.made", "idea"),
    ]  # fmt: skip
    assert [event.floor_ns for event in found] == [utc("2026-03-14T09:30:00+00:00"), utc("2026-03-14T21:30:00+00:00")]
    assert reasons == []
    assert not any("bench" in str(event.data).lower() for event in found)


def test_comments_carry_no_author(tmp_path: Path) -> None:
    (event,), _ = events(tmp_path, "decidim-comments", COMMENTS)
    assert (event.event_id, event.data["kind"], event.data["answers_to"]) == ("decidim/comment/7", "comment", "12")
    assert (event.actor_key, event.consent) == (None, "count_only")
    assert "Somebody" not in str(event)
    assert "99" not in str(event.data)


def test_meetings_that_are_published_are_held_with_their_attendees_and_may_be_corrected(tmp_path: Path) -> None:
    (event,), reasons = events(tmp_path, "decidim-meetings", MEETINGS, revision=77)
    assert (event.event_id, event.type, event.revision) == ("decidim/meeting/5", "activity.held", 77)
    assert (event.data["activity_id"], event.data["attendance"]) == ("T-MEET-2026-03-5", 23)
    assert event.floor_ns == utc("2026-03-20T17:00:00+00:00")  # without a zone it is UTC, not the pilot's hour
    assert reasons == ["left_out"]


def test_a_list_of_counts_gives_counts_by_group_and_leaves_codes_to_the_other_mapping(tmp_path: Path) -> None:
    found, reasons = events(tmp_path, "attendance-counts", LIST)
    assert [(event.actor_kind, event.count, event.consent) for event in found] == [
        ("citizen", 14, "count_only"), ("business", 3, "count_only"),
    ]  # fmt: skip
    assert found[0].event_id == "lists/counts/2026-03-20/T-MEET-2026-03-5/Residents"
    assert found[0].time_precision == "day"
    assert reasons == ["empty", "unknown_word"]


def test_a_list_of_codes_gives_pseudonyms_and_no_code_anywhere(tmp_path: Path) -> None:
    found, reasons = events(tmp_path, "attendance-codes", LIST.replace("card-0001", "CARDX"))
    (event,) = found
    assert (event.actor_key, event.consent, event.actor_kind) == ("pseudonym-of-CARDX", "cohort", "citizen")
    assert event.event_id == "lists/codes/2026-03-20/T-MEET-2026-03-5/pseudonym-of-CARDX"
    assert reasons == ["no_person", "no_person", "no_person"]


def test_a_comma_where_a_semicolon_is_expected_is_told(tmp_path: Path) -> None:
    with pytest.raises(WrongInput, match='write delimiter = "," in the mapping'):
        events(tmp_path, "decidim-proposals", PROPOSALS.replace(";", ","))


EVENT = {"type": "attendance", "time": "t"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"id": "{key}"}, "{key} with `key`"),
        ({"id": "{person}"}, "{person} with `person`"),
        ({"person": "p", "key": ["p"]}, "must not be part of an id"),
        ({"revised": True}, "revised needs a `key`"),
        ({"numbers": ["n"]}, '"n" is no field under columns'),
    ],
)
def test_a_mapping_that_cannot_mean_anything_is_refused(tmp_path: Path, change: dict[str, object], said: str) -> None:
    path = tmp_path / "m.toml"
    lines = [f"{key} = {value!r}".replace("True", "true") for key, value in {**EVENT, **change}.items()]
    path.write_text('feed = "lists"\n[cloudevent]\n' + "\n".join(lines) + "\n")
    with pytest.raises(ConfigError) as caught:
        load_mapping(path)
    assert said in str(caught.value)


@pytest.mark.parametrize("value", ["many", "inf", "nan"])
def test_a_number_that_is_none_is_told(value: str) -> None:
    mapping = ImportMapping.model_validate(
        {"feed": "lists", "cloudevent": {**EVENT, "columns": {"n": "n"}, "numbers": ["n"]}}
    )
    with pytest.raises(Unmapped) as caught:
        Mapper(mapping, "town", "f", str)({"t": "2026-01-01", "n": value}, 1)
    assert caught.value.reason == "no_number"
