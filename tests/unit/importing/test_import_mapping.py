"""One row becomes one message, or a reason; a person's id leaves only as a pseudonym."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from collectors.import_mapping import ImportMapping, Mapper, Row, Unmapped, WrongInput, load_mapping, topic_of
from config.catalogue import load_catalogue
from config.problems import ConfigError

CONFIG = Path(__file__).parents[3] / "config/examples"


def payload_of(mapping: ImportMapping, row: Row, pseudonym: str = "") -> bytes:
    return Mapper(mapping, "taxes", "votes.csv.gz", lambda person: pseudonym or f"key-of-{person}")(row, 7)


def message(mapping: ImportMapping, row: dict[str, Any]) -> Any:
    return msgspec.json.decode(payload_of(mapping, row))


@pytest.fixture
def votes() -> ImportMapping:
    return load_mapping(CONFIG / "deliberations/mappings/votes.toml")


@pytest.fixture
def air() -> ImportMapping:
    return load_mapping(CONFIG / "air-quality/mappings/air.toml")


VOTE = {"timestamp": "1523855288464", "datetime": "local text", "comment-id": "0", "voter-id": "2", "vote": "-1"}


def test_a_vote_becomes_a_core_action_with_an_id_of_file_and_row(votes: ImportMapping) -> None:
    assert message(votes, VOTE) == {
        "specversion": "1.0",
        "id": "taxes/votes.csv.gz/7",
        "source": "/pilots/taxes/votes",
        "type": "action.performed",
        "time": "2018-04-16T05:08:08.464Z",
        "data": {
            "core": True, "consent": "cohort", "synthetic": False, "channel": "web", "evidence": "system_log",
            "actor_key": "key-of-2", "task_id": "0", "outcome": "-1",
        },
    }  # fmt: skip


def test_the_persons_id_is_in_no_message(votes: ImportMapping) -> None:
    row = VOTE | {"voter-id": "hidden-person"}
    assert "hidden-person" not in payload_of(votes, row, "key").decode()


def test_every_millisecond_comes_through_as_it_was(votes: ImportMapping) -> None:
    # Binary fractions lose some: 1663975587474 / 1000 is a little below .474.
    assert message(votes, VOTE | {"timestamp": "1663975587474"})["time"] == "2022-09-23T23:26:27.474Z"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"voter-id": ""}, "no_person"),
        ({"timestamp": ""}, "no_time"),
        ({"timestamp": "yesterday"}, "bad_time"),
        ({"timestamp": "9" * 30}, "bad_time"),
    ],
)
def test_a_row_that_cannot_be_mapped_has_a_reason(votes: ImportMapping, change: dict[str, str], reason: str) -> None:
    with pytest.raises(Unmapped) as caught:
        message(votes, VOTE | change)
    assert caught.value.reason == reason


def test_a_reading_becomes_flat_json_with_numbers(air: ImportMapping) -> None:
    row = {"sensor_id": "15092", "timestamp": "2019-03-01T00:00:15", "P1": "23.07", "P2": "0"}
    assert message(air, row) == {"sensor_id": "15092", "timestamp": "2019-03-01T00:00:15", "P1": 23.07, "P2": 0.0}


def test_a_missing_reading_is_sent_as_missing_and_never_as_zero(air: ImportMapping) -> None:
    row = {"sensor_id": "22885", "timestamp": "2019-03-09T23:40:58", "P1": "", "P2": "n/a"}
    sent = message(air, row)
    assert sent["P1"] is None
    assert sent["P2"] == "n/a"


def refused(folder: Path, text: str) -> str:
    path = folder / "m.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_mapping(path)
    return str(caught.value)


def test_wrong_mappings_are_told_by_file_and_key(tmp_path: Path) -> None:
    assert "give either [cloudevent] or [flat_json]" in refused(tmp_path, 'feed = "a"')
    assert "is not TOML" in refused(tmp_path, "feed =")
    assert "m.toml: colour: is not a known key" in refused(tmp_path, 'feed = "a"\ncolour = 1')
    event = '[cloudevent]\ntype = "a"\ntime = "t"\n'
    assert "templates know" in refused(tmp_path, f'feed = "a"\n{event}id = "{{name}}"')
    said = refused(tmp_path, f'feed = "a"\n{event}person = "p"\ncolumns = {{ who = "p" }}')
    assert "must not be passed on as it is" in said


def test_an_unknown_pilot_or_feed_is_told_with_those_that_exist(votes: ImportMapping, air: ImportMapping) -> None:
    catalogue = load_catalogue(CONFIG / "deliberations")
    assert topic_of(catalogue, "taxes", votes) == "pilots/taxes/usage/votes"
    with pytest.raises(WrongInput, match=r'no pilot "tax" in .*; it has affordable-housing, biodiversity'):
        topic_of(catalogue, "tax", votes)
    with pytest.raises(WrongInput, match='no feed "air"; it has votes, statements'):
        topic_of(catalogue, "taxes", air)
