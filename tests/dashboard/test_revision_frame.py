"""Closed values that changed: the page says of each what the API says, and withholds what the API withholds."""

from typing import Any

from dash import Dash

from config.catalogue import Catalogue
from dashboard import wording
from dashboard.app import create_app
from dashboard.queries import Queries
from pipeline.findings import Revision
from tests.dashboard.callbacks import post, texts
from tests.dashboard.made_up import NOW_NS, MadeUpAnswers
from tests.dashboard.test_finding_pages import marked

BODY = "..pilot-body.children...pilot-drawn.data.."


def frame(app: Dash, pilot: str = "genoa") -> Any:
    answer = post(app, BODY, {"url.search": f"?pilot={pilot}&pilots=genoa,athens"})
    assert answer.json is not None
    page = answer.json["response"]["pilot-body"]["children"]
    [found] = [one for one in marked(page, "id") if one["id"] == "frame-revisions"]
    return found


def with_revisions(catalogue: Catalogue, found: list[Revision]) -> Dash:
    answers = MadeUpAnswers(list(catalogue.pilots))
    answers.revisions = lambda pilots: [one for one in found if one.pilot in pilots]  # type: ignore[method-assign]
    return create_app(Queries(answers, catalogue, lambda: NOW_NS), refresh_s=1)  # type: ignore[arg-type]


def revision(number: int, **more: Any) -> Revision:
    words = {"pilot": "genoa", "indicator": "people", "period": "week", "start": f"2026-03-{number + 1:02}",
             "end": f"2026-03-{number + 7:02}", "revision": 1, "at_ns": 1_775_000_000_000_000_000 + number,
             "reason": "events of 2026-03-02 came late", "before": 120.0 + number, "after": 126.0}  # fmt: skip
    return Revision(**{**words, **more})


def test_the_table_says_what_the_api_says(catalogue: Catalogue) -> None:
    app = with_revisions(catalogue, [revision(0), revision(1, indicator="core-actions", before=None), revision(2)])
    [table] = [one for one in marked(frame(app), "data") if "body" in one["data"]]
    answer = app.server.test_client().get("/api/v1/revisions?pilots=genoa").json
    assert answer is not None
    shown = [(row[0], row[2], row[3], row[6]) for row in table["data"]["body"]]
    assert shown == [
        (wording.days(one["start"], one["end"]), wording.number(one["before"]), wording.number(one["after"]),
         str(one["revision"]))
        for one in reversed(answer["items"])
    ]  # fmt: skip
    assert shown[1][1] == "–"


def test_the_sentence_tells_how_many_when_and_why(catalogue: Catalogue) -> None:
    app = with_revisions(catalogue, [revision(0), revision(1), revision(1, indicator="contributors", reason="so")])
    words = " ".join(texts(frame(app)))
    assert "3 values of closed periods changed after they were published, in 2 periods" in words
    assert "Most often (2 times): events of 2 March 2026 came late." in words
    assert "/download/revisions.csv?pilots=genoa" in str(frame(app))


def test_a_pilot_without_any_says_so_and_another_pilots_are_not_shown(catalogue: Catalogue) -> None:
    words = " ".join(texts(frame(with_revisions(catalogue, [revision(0)]), "athens")))
    assert "No value of a closed period has changed since it was published." in words


def test_what_is_not_shown_is_said(catalogue: Catalogue) -> None:
    many = [revision(day % 20, indicator=name) for day in range(40) for name in ("people", "core-actions")]
    found = frame(with_revisions(catalogue, many))
    [table] = [one for one in marked(found, "data") if "body" in one["data"]]
    assert len(table["data"]["body"]) == 60
    assert "The newest 60 of 80; the file has all of them." in " ".join(texts(found))
