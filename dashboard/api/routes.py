"""The one route of the API: JSON or CSV, bounded, with an ETag of the data's version."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import msgspec
from flask import Flask, Response, request

from dashboard import downloads, finding_rows
from dashboard.access import rules
from dashboard.api import asked, document, kinds
from dashboard.api.asked import Asked, BadQuestion
from dashboard.api.endpoints import ENDPOINTS, MAX_ROWS, Endpoint, too_many
from dashboard.queries import AnswersAway, Queries
from dashboard.security import viewer

PROBLEM = "application/problem+json"


def register(server: Flask, queries: Queries) -> None:
    """The guard has set the viewer, and has refused whoever may not download."""

    @server.get(rules.API_RULE)
    def api(name: str) -> Response:
        if name == document.NAME:
            return Response(document.text(), mimetype="application/json")
        if name not in ENDPOINTS:
            return problem(404, "There is no such address", f"The API has {', '.join(ENDPOINTS)} and {document.NAME}.")
        try:
            return _answer(queries, name, ENDPOINTS[name])
        except BadQuestion as error:
            return problem(400, "The question cannot be answered", str(error))
        except AnswersAway:
            return problem(503, "The store does not answer", "Nothing is lost; ask again in a minute.")


def problem(status: int, title: str, detail: str) -> Response:
    """Why there is no answer, after RFC 9457."""
    body = msgspec.json.encode(kinds.Problem(title=title, status=status, detail=detail))
    return Response(body + b"\n", status, mimetype=PROBLEM)


def _answer(queries: Queries, name: str, endpoint: Endpoint) -> Response:
    who = viewer()
    question = asked.read(list(request.args.items(multi=True)), endpoint.parameters, queries, who)
    as_csv = (question.format or _accepted()) == "csv"
    version = queries.data_version()
    tag = _tag(name, question, as_csv, version)
    if request.if_none_match.contains_weak(tag):
        response = Response(status=304)
    else:
        found = endpoint.find(queries, who, question)
        if len(found) > MAX_ROWS:
            raise too_many(len(found))
        response = _csv(name, endpoint, found) if as_csv else _json(version, found)
    response.set_etag(tag, weak=True)
    response.headers["Vary"] = "Accept, Cookie"
    return response


def _accepted() -> str:
    best = request.accept_mimetypes.best_match(["application/json", "text/csv"], "application/json")
    return "csv" if best == "text/csv" else "json"


def _tag(name: str, question: Asked, as_csv: bool, version: str) -> str:
    """Of what the answer follows from; the pilots asked for are already those that the reader may see."""
    return hashlib.sha256(repr((name, question, as_csv, version)).encode()).hexdigest()[:24]


def _json(version: str, found: Sequence[Any]) -> Response:
    listing = {"data_version": version, "count": len(found), "items": kinds.plain(list(found))}
    return Response(json.dumps(listing, ensure_ascii=False, allow_nan=False) + "\n", mimetype="application/json")


def _csv(name: str, endpoint: Endpoint, found: Sequence[Any]) -> Response:
    rows: list[list[object]] = [[*finding_rows.columns(endpoint.kind)], *finding_rows.rows(endpoint.kind, found)]
    named = {"Content-Disposition": f'attachment; filename="periscope-{name}.csv"'}
    return Response(downloads.as_csv(rows), mimetype="text/csv", headers=named)
