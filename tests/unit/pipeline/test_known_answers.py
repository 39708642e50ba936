"""Five real deliberations through partials and answers; the acceptance goes through the broker elsewhere."""

import csv
import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.answers import Answers
from pipeline.model import Event
from tests.unit.pipeline.making import City, Clock, act, event, pilot

IDS = (
    "people",
    "returned-day-1",
    "returned-days-1-7",
    "people-multi-day",
    "core-actions",
    "statements",
    "contributors",
    "participants-who-use",
)
KNOWN = {
    "affordable-housing": (381, 12, 25, 29, 15_076, 165, 57, 57),
    "biodiversity": (536, 19, 31, 47, 29_802, 316, 97, 97),
    "freshwater": (117, 2, 6, 10, 3_979, 80, 15, 15),
    "taxes": (334, 7, 22, 25, 17_379, 148, 56, 54),
    "ubi": (234, 4, 7, 12, 7_174, 71, 19, 19),
}


def rows(folder: Path, name: str) -> Iterator[tuple[int, dict[str, str]]]:
    [path] = folder.glob(f"{name}.csv*")
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        yield from enumerate(csv.DictReader(file))


def events(folder: Path) -> list[Event]:
    votes = [
        act(int(row["timestamp"]) * 1_000_000, row["voter-id"], data={"row": number})
        for number, row in rows(folder, "votes")
    ]
    return votes + [
        event(
            "contribution.made",
            int(row["timestamp"]) * 1_000_000,
            row["author-id"],
            data={"kind": "idea", "row": number},
        )
        for number, row in rows(folder, "comments")
    ]


@pytest.mark.parametrize("deliberation", KNOWN)
def test_the_real_deliberations_have_their_known_answers(deliberation: str, data_dir: Path) -> None:
    city = City(pilot(), Clock("2026-01-01T00:00:00"))
    city.add(events(data_dir / "participation" / deliberation))
    city.work()
    answers = Answers(city.store, city.catalogue, city.operations)
    for period in ("all", "chosen"):
        found = {one.indicator: one for one in answers.values(["test"], IDS, period)}
        assert tuple(found[key].value for key in IDS) == KNOWN[deliberation]
        assert {one.status for one in found.values()} == {"ok"}


def test_with_a_limit_of_5_the_small_counts_are_hidden(data_dir: Path) -> None:
    city = City(pilot(), Clock("2026-01-01T00:00:00"), k=5)
    city.add(events(data_dir / "participation" / "freshwater"))
    city.work()
    found = {one.indicator: one for one in Answers(city.store, city.catalogue, city.operations).chosen(["test"], None)}
    assert (found["returned-day-1"].status, found["returned-day-1"].value) == ("suppressed", None)
    assert (found["retention-day-1"].status, found["retention-day-1"].n) == ("suppressed", None)
    assert found["returned-days-1-7"].value == 6
