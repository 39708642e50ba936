"""The findings in the evaluator's package are those of `Findings`, row for row."""

import csv
import io
import zipfile
from datetime import date, timedelta
from pathlib import Path

from pipeline.answers import Answers
from pipeline.exports import export
from pipeline.findings_answers import Findings
from pipeline.periods import iso
from tests.unit.pipeline.fit.making import FIRST, activity, day_of, history
from tests.unit.pipeline.making import City, Clock, event, pilot

TARGET = {"indicator": "contributions", "direction": "up", "declared": date(2026, 5, 4), "by": date(2026, 12, 31)}
FILES = ("method_fit", "one_size", "roles", "stage_groups", "skills", "obstacles", "impact")


def city() -> City:
    found = City(pilot(targets=[TARGET]), Clock("2027-01-01T00:00:00"), k=5)
    events = history(3, 40)
    for n in range(6):
        own = {"decision_id": f"z{n}", "stage": "planted"}
        day = FIRST + timedelta(days=n)
        events.append(
            event("decision.participated", f"{day}T10:00", actor_kind="citizen", data={**own, "role": "decider"})
        )
        events.append(event("decision.closed", f"{day}T11:00", data=own))
    events += activity("hard", FIRST, 20, stage="co_design", method="survey", obstacles=["low_turnout"])
    found.add(events)
    found.work()
    return found


def tables(one: City, target: Path, release: str = "usual") -> dict[str, list[dict[str, str]]]:
    answers = Answers(one.store, one.catalogue, one.operations)
    export(answers, one.catalogue, target, ["test"], "2026-03-01", "2026-03-31", release)
    with zipfile.ZipFile(target) as package:
        return {
            name: list(csv.DictReader(io.StringIO(package.read(f"{name}.csv").decode(), newline=""))) for name in FILES
        }


def number(text: str) -> float | None:
    return float(text) if text else None


def test_the_package_says_what_the_findings_say(tmp_path: Path) -> None:
    one = city()
    found, ask = (
        tables(one, tmp_path / "out.zip"),
        Findings(Answers(one.store, one.catalogue, one.operations), one.catalogue),
    )
    fit = {(row["stage"], row["dim"], row["code"], row["figure"]): row for row in found["method_fit"]}
    cells = ask.fit(["test"])
    assert len(fit) == len(found["method_fit"]) == sum(len(cell.figures) for cell in cells)
    for cell in cells:
        for name, figure in cell.figures.items():
            row = fit[cell.stage, cell.dim, cell.code, name]
            assert (number(row["value"]), number(row["lower"]), number(row["upper"]), row["status"]) == (
                figure.value, figure.lower, figure.upper, figure.status,
            )  # fmt: skip
            assert number(row["p_best"]) == (cell.best[name].value if name in cell.best else None)
    assert {row["p_best"] for row in found["method_fit"]} != {""}
    assert [row["sentence"] for row in found["one_size"]] == [one.sentence for one in ask.one_size(["test"])]
    [decides] = [
        row for row in found["roles"] if (row["stage"], row["group"], row["role"]) == ("planted", "citizen", "decides")
    ]
    assert (decides["decisions"], decides["value"]) == ("6", "100")
    assert [number(row["value"]) for row in found["stage_groups"]] == [
        one.taking_part.value for one in ask.stage_groups(["test"])
    ]
    assert [(row["skill"], row["needed"]) for row in found["skills"]] == [
        (one.skill, str(one.needed)) for one in ask.skills(["test"])
    ]
    assert [(row["code"], row["n"]) for row in found["obstacles"]] == [
        (one.code, str(one.n)) for one in ask.counted(["test"])
    ]
    [impact] = found["impact"]
    [verdict] = ask.impact(["test"])
    assert (impact["verdict"], impact["sentence"]) == (verdict.verdict, verdict.sentence)
    assert number(impact["value"]) == verdict.change.value


def test_findings_cover_all_days_and_say_which(tmp_path: Path) -> None:
    found = tables(city(), tmp_path / "out.zip")["method_fit"]
    first = min(FIRST.toordinal(), *(day_of(one.time_ns) for one in history(3, 40)))
    assert {row["first_day"] for row in found} == {iso(first)}
    assert all(row["last_day"] > "2026-10-01" for row in found)


def test_a_strict_package_rounds_and_hides_the_people_of_findings_too(tmp_path: Path) -> None:
    found = tables(city(), tmp_path / "out.zip", "strict")
    people = [row for row in found["method_fit"] if row["figure"] in ("attendance", "no_show", "perceived")]
    told = [row for row in people if row["status"] == "ok"]
    assert {row["lower"] for row in told} == {""}
    assert all(float(row["value"]) % 5 == 0 for row in told if row["figure"] == "attendance")
    assert all(int(row["n"]) % 5 == 0 for row in told if row["figure"] != "attendance")
    cells = [number(row["value"]) for row in found["stage_groups"] if row["status"] == "ok"]
    assert all(value is not None and value % 5 == 0 for value in cells)
    usual = tables(city(), tmp_path / "usual.zip")
    hidden = [sum(row["status"] == "suppressed" for row in one["method_fit"]) for one in (usual, found)]
    assert hidden[0] < hidden[1]
