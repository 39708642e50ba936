"""An incident whose opening late events move: what comes later is told of it, once."""

import json

from tests.unit.pipeline.watching import Watched, said

LATE = range(60, 63)


def test_a_fall_whose_opening_moved_is_told_when_it_gets_worse() -> None:
    town = Watched()
    for number in range(110):
        idea = 10 if number < 60 else 4 if number < 85 else 0
        town.pass_day(number, [*said(number, idea), *said(number, 40, "writer", kind="comment")])
        if number == 75:
            for late in LATE:
                town.pass_day(late, [*said(late, 8), *said(late, 40, "writer", kind="comment")])
        if number >= 58:
            town.look(number)
    recorded = town.operations.read(
        "SELECT t.what, i.since, t.day FROM transition t JOIN incident i ON i.id = t.incident "
        "WHERE i.series = 'idea' ORDER BY t.id"
    )
    assert [what for what, _, _ in recorded] == ["opened", "revised", "worsened"]
    assert len({since for _, since, _ in recorded}) == 1
    [(_, since, first), (_, _, moved), (_, _, worse)] = recorded
    assert first == since < moved < worse
    told = [json.loads(body) for (body,) in town.operations.read("SELECT body FROM notification ORDER BY id")]
    assert [(one["what"], one["incident"]["series"]) for one in told] == [("opened", "idea"), ("worsened", "idea")]
    assert [one["incident"]["severity"] for one in told] == ["warning", "critical"]
