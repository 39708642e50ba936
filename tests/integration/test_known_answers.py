"""Real data that nobody here made go the whole way and come out as the numbers counted from the files.

Sources: the folder of real data (its README gives the answers): five deliberations on Polis, CC BY 4.0, The
Computational Democracy Project / Scoop; ten air sensors of sensor.community, March 2019, ODbL.
"""

import csv
import gzip
import itertools
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from pipeline.operations import Operations
from tests.dashboard import period_table
from tests.journey import AIR_QUALITY, DELIBERATIONS, Journey, embedded, influxdb, whole
from tests.services.influxdb import Influx
from tests.services.mosquitto import Mosquitto

# voters, returned on day 1, returned on days 1-7, active on more than one day, votes, statements, authors, both
ANSWERS = {
    "affordable-housing": (381, 12, 25, 29, 15_076, 165, 57, 57),
    "biodiversity": (536, 19, 31, 47, 29_802, 316, 97, 97),
    "freshwater": (117, 2, 6, 10, 3_979, 80, 15, 15),
    "taxes": (334, 7, 22, 25, 17_379, 148, 56, 54),
    "ubi": (234, 4, 7, 12, 7_174, 71, 19, 19),
}
INDICATORS = (
    "people", "returned-day-1", "returned-days-1-7", "people-multi-day", "core-actions", "statements", "contributors",
    "participants-who-use",
)  # fmt: skip
MESSAGES = sum(row[4] + row[5] for row in ANSWERS.values())
AIR_ROWS = 150_080
# The one row of the file whose cells for both quantities are empty.
WITHOUT_READING = ("22885", "2019-03-09T23:40:58")


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    service = Mosquitto(tmp_path_factory.mktemp("mosquitto"))
    service.start()
    yield service
    service.stop()


def settings_of(store: str, request: pytest.FixtureRequest) -> dict[str, object]:
    if store == "sqlite":
        return embedded()
    server: Influx = request.getfixturevalue("influx")
    return influxdb(server)


@pytest.fixture(scope="module", params=["sqlite", "influx"])
def store(request: pytest.FixtureRequest) -> dict[str, object]:
    return settings_of(request.param, request)


# The large one goes through the production store always, through the embedded one in the long form.
@pytest.fixture(scope="module", params=["influx", pytest.param("sqlite", marks=pytest.mark.long)])
def large_store(request: pytest.FixtureRequest) -> dict[str, object]:
    return settings_of(request.param, request)


@pytest.fixture(scope="module")
def deliberations(
    broker: Mosquitto, store: dict[str, object], data_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Journey:
    journey = Journey(tmp_path_factory.mktemp("deliberations"), broker, DELIBERATIONS, store)
    mappings = DELIBERATIONS / "mappings"
    with journey.collecting() as collector:
        for pilot in ANSWERS:
            folder = data_dir / "participation" / pilot
            (votes,) = folder.glob("votes.csv*")
            assert journey.import_(pilot, mappings / "votes.toml", votes)["complete"]
            assert journey.import_(pilot, mappings / "comments.toml", folder / "comments.csv")["complete"]
        ledger = journey.settled(collector, MESSAGES)
    assert ledger["written"] == ledger["received"] == MESSAGES
    journey.pipeline()
    return journey


@pytest.fixture(scope="module")
def exported(deliberations: Journey) -> list[dict[str, str]]:
    return deliberations.export()


@pytest.mark.parametrize("pilot", ANSWERS)
def test_a_deliberation_gives_its_known_answers(exported: list[dict[str, str]], pilot: str) -> None:
    rows = whole(exported, pilot)
    found = {name: (rows[name, ""]["value"], rows[name, ""]["status"]) for name in INDICATORS}
    assert found == {name: (str(number), "ok") for name, number in zip(INDICATORS, ANSWERS[pilot], strict=True)}


def test_the_compare_page_shows_the_same_known_answers(deliberations: Journey, chromium: Browser) -> None:
    with deliberations.serving() as address:
        page = chromium.new_page()
        try:
            cells = period_table.read(page, address)
        finally:
            page.close()
    for pilot, answers in ANSWERS.items():
        found = {name: float(cells[pilot, name, ""]) for name in INDICATORS}
        assert found == dict(zip(INDICATORS, answers, strict=True)), pilot


@pytest.mark.usefixtures("exported")
def test_an_export_is_in_the_audit(deliberations: Journey) -> None:
    operations = Operations(deliberations.state / "operations.db")
    try:
        said = [(who, what) for _, who, what, _ in operations.audited()]
    finally:
        operations.close()
    assert ("command line", f"export of {', '.join(sorted(ANSWERS))}, first day to last day") in said


def test_nothing_of_the_deliberations_is_called_synthetic(exported: list[dict[str, str]]) -> None:
    assert {row["synthetic"] for row in exported} == {"false"}


def test_with_the_usual_limit_the_small_counts_are_hidden(deliberations: Journey, tmp_path: Path) -> None:
    """The last test of its store: it computes everything again with a limit of 5. Whom a difference of two figures
    would tell of counts as well: of 56 who contributed to taxes, 54 voted."""
    stricter = tmp_path / "catalogue"
    stricter.mkdir()
    for path in DELIBERATIONS.glob("*.toml"):
        (stricter / path.name).write_text(path.read_text().replace("disclosure_k = 0", "disclosure_k = 5"))
    before = deliberations.settings
    deliberations.settings = before | {"catalogue": stricter}
    try:
        deliberations.pipeline()
        rows = deliberations.export()
    finally:
        deliberations.settings = before
    for pilot, answers in ANSWERS.items():
        for name, number in zip(INDICATORS, answers, strict=True):
            if name in ("core-actions", "statements"):
                continue  # numbers of acts, not of people
            row = whole(rows, pilot)[name, ""]
            people, both = answers[INDICATORS.index("people")], answers[INDICATORS.index("participants-who-use")]
            apart = (people - both, answers[INDICATORS.index("contributors")] - both)
            told_by_difference = name == "participants-who-use" and any(0 < rest < 5 for rest in apart)
            if number < 5 or told_by_difference:
                assert (row["value"], row["status"]) == ("", "suppressed"), (pilot, name)
            else:
                assert (row["value"], row["status"]) == (str(number), "ok"), (pilot, name)


@pytest.fixture(scope="module")
def air(
    broker: Mosquitto, large_store: dict[str, object], data_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Journey:
    journey = Journey(tmp_path_factory.mktemp("air"), broker, AIR_QUALITY, large_store)
    with journey.collecting() as collector:
        report = journey.import_("aberdeen", AIR_QUALITY / "mappings/air.toml", air_file(data_dir))
        assert report["files"][0]["sent"] == AIR_ROWS
        journey.settled(collector, AIR_ROWS, 400)
    journey.pipeline()
    return journey


@pytest.fixture(scope="module")
def air_rows(air: Journey) -> list[dict[str, str]]:
    return air.export()


def air_file(data_dir: Path) -> Path:
    return data_dir / "sensors/air_quality_sds011_2019-03.csv.gz"


@pytest.fixture(scope="module")
def readings(data_dir: Path) -> dict[str, list[datetime]]:
    """Times of each sensor's rows that hold a reading, counted from the file with nothing of ours."""
    found: dict[str, list[datetime]] = defaultdict(list)
    with gzip.open(air_file(data_dir), "rt", newline="") as file:
        for row in csv.DictReader(file, delimiter=";"):
            if row["P1"] or row["P2"]:
                found[row["sensor_id"]].append(datetime.fromisoformat(f"{row['timestamp']}+00:00"))
    return {sensor: sorted(times) for sensor, times in found.items()}


def test_the_ledger_of_the_air_readings_adds_up_and_names_the_row_without_a_reading(air: Journey) -> None:
    ledger = air.ledger()
    assert ledger["received"] == AIR_ROWS
    assert ledger["written"] == AIR_ROWS - 1
    assert ledger["dropped:no_reading"] == 1
    assert ledger["pending"] == ledger["duplicate"] == ledger["dead_lettered"] == 0
    assert ledger["points_written"] == 2 * (AIR_ROWS - 1)


@pytest.mark.parametrize(("sensor", "rows"), [("23628", 1_653), ("22885", 12_665)])
def test_a_sensor_with_holes_shows_its_completeness_and_longest_gap(
    air_rows: list[dict[str, str]], readings: dict[str, list[datetime]], sensor: str, rows: int
) -> None:
    times = readings[sensor]
    assert len(times) == rows - (1 if sensor == WITHOUT_READING[0] else 0)
    first, last = (datetime.fromisoformat(f"2019-{day}T00:00:00+00:00") for day in ("03-01", "04-01"))
    expected = (last - first).total_seconds() / 150
    gap = max((later - earlier).total_seconds() for earlier, later in itertools.pairwise([first, *times, last]))
    found = whole(air_rows, "aberdeen", "device")
    complete, longest = found["completeness", sensor], found["longest-gap", sensor]
    assert float(complete["value"]) == pytest.approx(100 * len(times) / expected)
    assert complete["n"] == str(len(times))
    assert float(longest["value"]) == gap


def test_a_day_in_a_gap_has_no_value_and_never_zero(
    air_rows: list[dict[str, str]], readings: dict[str, list[datetime]]
) -> None:
    days = {time.date().isoformat() for time in readings["23628"]}
    silent = [f"2019-03-{day:02}" for day in range(1, 32) if f"2019-03-{day:02}" not in days]
    assert len(silent) > 20
    rows = [
        row for row in air_rows
        if row["subgroup_dim"] == "device" and row["subgroup"] == "23628" and row["indicator_id"] == "sensor-level"
    ]  # fmt: skip
    assert not [row for row in rows if row["period_start"] == row["period_end"] in silent and row["value"]]
    levels = [row for row in air_rows if row["indicator_id"] == "sensor-level"]
    assert levels
    assert not [row for row in levels if row["value"] == "0"]
