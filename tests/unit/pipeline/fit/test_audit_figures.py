"""The method-fit table at every look: no activity's or cell's small number of people can be worked out.

Unknown are, for each activity, who registered and stayed away and who registered and came; told are every figure with
its n, in every cell and month, and as of which day. Cells overlap: all and single stages, methods, tools.
"""

import random
from itertools import pairwise

import numpy as np
import pytest

from pipeline.fit import cells, figures
from pipeline.fit.activities import Gathered, HeldActivity
from pipeline.fit.batches import month_end
from pipeline.fit.telling import Told
from pipeline.periods import ordinal
from tests.unit.pipeline.sums import UNBOUNDED, Row, Sums

FIRST = ordinal("2026-01-12")
ACTIVITIES = 16
REPORTS = frozenset({"registration", "attendance", "survey.response"})
SHARES = {"no_show": "missed", "perceived": "perceived"}


def town(seed: int) -> list[HeldActivity]:
    order, found = random.Random(seed), []
    for number in range(ACTIVITIES):
        away, came = order.choice([0, 1, 3, 6, 9]), order.choice([0, 2, 4, 8, 15])
        found.append(
            HeldActivity(
                id=f"a{number:02}",
                day=FIRST + 12 * number,
                stage=order.choice(["co_decide", "co_design"]),
                method=order.choice(["survey", "open_meeting"]),
                tools=tuple(sorted(order.sample(["kit", "map"], order.randrange(3)))),
                attendance=20,
                missed=(away, away + came),
                perceived=(order.choice([0, 2, 5]), 5 + order.choice([0, 3, 6])),
            )
        )
    return found


def row(those: set[str], hits: bool = True, others: bool = True) -> Row:
    """A sum over activities: of those counted, of all others, or of both."""
    mine = [float(f"a{number:02}" in those) for number in range(ACTIVITIES)]
    return np.array([one * hits for one in mine] + [one * others for one in mine])


def audit(seed: int, name: str, k: int) -> tuple[float, int, int]:
    """The least room of a small number, how many small numbers there are, and how many figures are told."""
    held, sums, hidden, last_told = town(seed), Sums(), list[Row](), 0
    pairs = [getattr(one, SHARES[name]) for one in held]
    truth = np.array([hits for hits, _ in pairs] + [of - hits for hits, of in pairs], float)
    looks = sorted({day for one in held for day in (one.day, month_end(one.day), month_end(one.day + 30))})
    for last in looks:
        seen = Gathered(pilot="test", activities=[one for one in held if one.day <= last], reports=REPORTS, last=last)
        last_told = 0
        for cell in cells.fit_cells(seen, k):
            figure = cell.figures[name]
            mine = [
                one for one in seen.activities if cell.stage in ("", one.stage) and cell.code in codes(one, cell.dim)
            ]
            if figure.value is None or figure.n is None:
                continue
            upto = ordinal(figure.reason[6:16]) if figure.reason else last
            delay = figures.BY_NAME[name].delay if figure.reason else 0
            those = {one.id for one in mine if one.day <= upto and (not delay or month_end(one.day + delay) <= upto)}
            count = figure.value * figure.n / 100
            assert row(those, others=False) @ truth == pytest.approx(count), (cell, those)
            assert row(those) @ truth == figure.n
            sums.learn(row(those, others=False), round(count))
            sums.learn(row(those), figure.n)
            last_told += 1
        hidden += [
            row(those, *which) for those in kept(seen.activities, looks) for which in ((True, False), (False, True))
        ]
    unique = {one.tobytes(): one for one in hidden if 0 < one @ truth < k}
    return min((sums.room(one) for one in unique.values()), default=UNBOUNDED), len(unique), last_told


def codes(one: HeldActivity, dim: str) -> tuple[str, ...]:
    return {"method": (one.method,), "tool": one.tools}.get(dim, ())


def kept(activities: list[HeldActivity], looks: list[int]) -> list[set[str]]:
    """Each activity, each cell, and what each cell grew by from one month to the next."""
    found = [{one.id} for one in activities]
    ends = sorted({month_end(day) for day in looks})
    for stage in ("", "co_decide", "co_design"):
        for code in ("survey", "open_meeting", "kit", "map"):
            mine = [one for one in activities if stage in ("", one.stage) and code in (one.method, *one.tools)]
            found.append({one.id for one in mine})
            found += [{one.id for one in mine if a < one.day <= b} for a, b in pairwise(ends)]
    return found


@pytest.mark.parametrize("name", SHARES)
@pytest.mark.parametrize("k", [3, 5])
def test_no_small_number_of_people_can_be_worked_out(name: str, k: int) -> None:
    rooms, small, told = zip(*(audit(seed, name, k) for seed in range(6)), strict=True)
    assert sum(small) > 30
    assert sum(told) > 20
    assert min(rooms) >= 1 - 1e-6, f"seed {rooms.index(min(rooms))}"


def test_shares_hidden_one_by_one_would_be_what_others_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule before: a share is hidden where it counts 1 to k-1 people."""

    def told(seen: Gathered, of: dict[cells.Key, list[HeldActivity]], counts, _: int, k: int) -> dict[cells.Key, Told]:
        sums = {key: [sum(column) for column in zip(*map(counts, mine), strict=True)] for key, mine in of.items()}
        return {key: (of[key], seen.last) for key, both in sums.items() if not any(0 < one < k for one in both)}

    monkeypatch.setattr(cells, "told_sums", told)
    assert any(audit(seed, "no_show", 5)[0] < 1 - 1e-6 for seed in range(6))


@pytest.mark.parametrize("part", ["pipeline.fit.telling._Space.allows", "pipeline.fit.telling._open"])
def test_each_part_of_the_rule_is_needed(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part, lambda *_: True if part.endswith("allows") else set())
    assert any(audit(seed, name, 5)[0] < 1 - 1e-6 for seed in range(12) for name in SHARES)


def test_the_mean_of_two_middle_counts_would_tell_the_smaller_one() -> None:
    held = [
        HeldActivity(id=f"a{number}", day=FIRST, attendance=come) for number, come in enumerate([0, 0, 4, 10, 20, 30])
    ]
    kind = figures.BY_NAME["attendance"]
    assert figures.figure(kind, held, REPORTS, 5).status == "suppressed"
    assert figures.figure(kind, held, REPORTS, 4).value == 7
    nobody = [
        HeldActivity(id=f"a{number}", day=FIRST, attendance=come) for number, come in enumerate([0, 0, 0, 1, 9, 9])
    ]
    assert figures.figure(kind, nobody, REPORTS, 5).value is None
