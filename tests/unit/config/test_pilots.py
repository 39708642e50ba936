"""The shipped catalogues say what is documented and nothing else."""

import re
from pathlib import Path

import holidays
import pytest

from config.catalogue import UNKNOWN, Catalogue, load_catalogue
from config.lint import lint

CONFIG = Path(__file__).parents[3] / "config"
SHIPPED = ["pilots", "examples/deliberations", "examples/air-quality", "examples/participation"]


@pytest.fixture(scope="module")
def pilots() -> Catalogue:
    return load_catalogue(CONFIG / "pilots")


@pytest.mark.parametrize("folder", SHIPPED)
def test_every_shipped_catalogue_passes_lint_without_error(folder: str) -> None:
    assert [str(finding) for finding in lint(load_catalogue(CONFIG / folder)) if finding.level == "error"] == []


def test_the_six_pilots_have_no_finding_at_all(pilots: Catalogue) -> None:
    assert lint(pilots) == []


def test_the_six_pilots_live_in_their_own_time_zones(pilots: Catalogue) -> None:
    assert {slug: pilot.time_zone for slug, pilot in pilots.pilots.items()} == {
        "malmo": "Europe/Stockholm",
        "bremen": "Europe/Berlin",
        "athens": "Europe/Athens",
        "genoa": "Europe/Rome",
        "palmela": "Europe/Lisbon",
        "milan": "Europe/Rome",
    }


def test_everything_shown_for_the_six_pilots_is_declared_synthetic(pilots: Catalogue) -> None:
    for pilot in pilots.pilots.values():
        assert pilot.synthetic
        assert all(feed.synthetic for feed in pilot.feeds)
        chosen = pilot.denominator()
        assert chosen is not None
        assert chosen.synthetic
        assert chosen.source == "simulated population"


def test_participants_are_unknown_for_all_six(pilots: Catalogue) -> None:
    assert all(pilot.facts["participants"].value == UNKNOWN for pilot in pilots.pilots.values())


def test_services_are_known_for_palmela_only(pilots: Catalogue) -> None:
    known = [slug for slug, pilot in pilots.pilots.items() if pilot.facts["services"].value != UNKNOWN]
    assert known == ["palmela"]


@pytest.mark.parametrize("trap", ["SUNRISE", "Herrgård", "Urblove", "BT Buss", "859,000", "460 km", "TXT", "BrePark"])
def test_no_fact_falls_into_a_known_trap(pilots: Catalogue, trap: str) -> None:
    told = [str(fact.value) for pilot in pilots.pilots.values() for fact in pilot.facts.values()]
    assert not any(trap in value for value in told)


def test_every_known_fact_links_to_its_source(pilots: Catalogue) -> None:
    for pilot in pilots.pilots.values():
        for fact in pilot.facts.values():
            assert fact.value == UNKNOWN or re.match(r"https?://", fact.source_url)


def test_every_calendar_is_one_that_the_holidays_library_knows(pilots: Catalogue) -> None:
    for pilot in pilots.pilots.values():
        country, _, part = str(pilot.calendar.holidays).partition("-")
        assert len(holidays.country_holidays(country, subdiv=part or None, years=2026)) > 5


def test_the_deliberations_hide_nothing_and_count_days_in_utc() -> None:
    catalogue = load_catalogue(CONFIG / "examples/deliberations")
    assert catalogue.common.disclosure_k == 0
    assert len(catalogue.pilots) == 5
    assert {pilot.time_zone for pilot in catalogue.pilots.values()} == {"UTC"}


def test_the_pilot_of_the_docs_can_be_copied_as_it_stands(tmp_path: Path) -> None:
    page = (CONFIG.parent / "docs" / "pilots.md").read_text()
    found = re.search(r"```toml\n(.+?)```", page, re.DOTALL)
    assert found is not None
    (tmp_path / "utrecht.toml").write_text(found[1])
    assert lint(load_catalogue(tmp_path)) == []
