"""What is planted in the simulated cities is found again from their messages: who comes, and who stays away."""

from functools import cache

import pytest

from collectors.simulator.truth import TRUTH
from pipeline.fit.activities import Gathered, gather
from pipeline.fit.cells import fit_cells
from pipeline.fit.coded import counted
from pipeline.fit.one_size import one_size
from pipeline.periods import day_of, ordinal
from pipeline.rows import Row
from tests.unit.simulator.telling import MAIN_SEED, NOW, packaged
from tests.unit.simulator.telling import counted as told

ENGAGEMENT = (
    "registration",
    "attendance",
    "contribution.made",
    "survey.response",
    "response.published",
    "contribution.disposition",
)


@cache
def cities(seed: int) -> tuple[list[Gathered], dict[str, list[Row]]]:
    table = told(seed)
    rows: dict[str, list[Row]] = {slug: [] for slug in packaged().pilots}
    for one in table[table.type.isin([*ENGAGEMENT, "activity.held"])].itertuples():
        data = one.data
        kind, count = data.get("actor_kind", "unknown"), data.get("count", 1)
        rows[one.pilot].append(Row(one.type, one.time_ns, one.id, one.actor or None, kind, count, "", True, data))
    found = []
    for slug, mine in rows.items():
        zone = packaged().pilots[slug].zone
        last = ordinal(day_of(NOW, zone)) - 3
        found.append(gather(slug, mine, lambda at_ns, zone=zone: ordinal(day_of(at_ns, zone)), last, lambda _: False))
    return found, rows


def test_the_method_that_draws_most_is_found_in_each_city_and_no_size_fits_all() -> None:
    seen, _ = cities(MAIN_SEED)
    for one in seen:
        planted = TRUTH.turnout.get(one.pilot, {})
        figures = {
            cell.code: cell.figures["attendance"].value
            for cell in fit_cells(one, 0)
            if (cell.stage, cell.dim) == ("", "method") and cell.code in planted
        }
        told_ = {method: value for method, value in figures.items() if value is not None}
        for method, value in told_.items():
            for other, other_value in told_.items():
                if planted[method] >= 1.5 * planted[other]:
                    assert value > other_value, (one.pilot, method, other)
    [answer] = [one for one in one_size(seen) if one.figure == "attendance"]
    assert answer.p_value is not None
    assert answer.p_value <= 0.01
    assert answer.sentence.startswith("How methods do in attendance depends on the pilot")
    assert answer.synthetic


def test_who_stays_away_is_found_by_method() -> None:
    seen, _ = cities(MAIN_SEED)
    missed, registered = dict.fromkeys(TRUTH.stays_away, 0), dict.fromkeys(TRUTH.stays_away, 0)
    for one in seen:
        for activity in one.activities:
            if activity.method in missed and activity.missed is not None:
                missed[activity.method] += activity.missed[0]
                registered[activity.method] += activity.missed[1]
    for method, share in TRUTH.stays_away.items():
        assert missed[method] / registered[method] == pytest.approx(share, abs=0.07), method


def test_what_organisers_of_a_method_often_met_leads_its_list() -> None:
    seen, rows = cities(MAIN_SEED)
    [malmo] = [one for one in seen if one.pilot == "malmo"]
    first = next(
        one
        for one in counted(malmo, rows["malmo"], 5)
        if (one.dim, one.stage, one.method) == ("obstacle", "", "citizen_science")
    )
    assert (first.code, first.synthetic) == ("technology", True)


def test_what_a_city_answers_and_takes_up_is_found_at_its_activities() -> None:
    for one in cities(MAIN_SEED)[0]:
        voice = TRUTH.voice(one.pilot)
        for planted, pairs in (
            (voice.answered, [activity.answered for activity in one.activities]),
            (voice.taken_up, [activity.influence for activity in one.activities]),
        ):
            hits, n = sum(hit for hit, _ in pairs), sum(of for _, of in pairs)
            assert hits / n == pytest.approx(planted, abs=3.5 * (planted * (1 - planted) / n) ** 0.5), one.pilot
