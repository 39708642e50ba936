"""Calling a callback as a browser does: by POST through the test client."""

import json
from typing import Any

from dash import Dash
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

TOKEN = "the-same-text-in-cookie-and-header"


def names(app: Dash) -> list[str]:
    """The outputs of all callbacks that the server runs."""
    return [name for name, one in app.callback_map.items() if "callback" in one]


def body(app: Dash, output: str, values: dict[str, Any]) -> dict[str, Any]:
    """What the browser sends to call this callback; an input without a given value is null."""
    known = app.callback_map[output]

    def given(one: dict[str, Any]) -> dict[str, Any]:
        return {**one, "value": values.get(f"{one['id']}.{one['property']}")}

    outputs = [
        dict(zip(("id", "property"), part.rsplit(".", 1), strict=True)) for part in output.strip(".").split("...")
    ]
    changed = [name for name in values if any(name == f"{one['id']}.{one['property']}" for one in known["inputs"])]
    return {
        "output": output,
        "outputs": outputs if output.startswith("..") else outputs[0],
        "inputs": [given(one) for one in known["inputs"]],
        "state": [given(one) for one in known["state"]],
        "changedPropIds": changed,
    }


def post(app: Dash, output: str, values: dict[str, Any], **headers: str) -> TestResponse:
    """Call the callback with this output as the demo's operator."""
    client = app.server.test_client()
    client.set_cookie("_csrf_token", TOKEN)
    return send(client, json.dumps(body(app, output, values)), **{"X-CSRFToken": TOKEN, **headers})


def send(client: FlaskClient, data: str, **headers: str) -> TestResponse:
    """A body to the callbacks' address."""
    return client.post("/_dash-update-component", data=data, content_type="application/json", headers=headers)


def texts(node: Any) -> list[str]:
    """Every text in an answer, in order."""
    if isinstance(node, str):
        return [node]
    if isinstance(node, dict):
        return [text for key, one in node.items() if key not in ("type", "namespace", "id") for text in texts(one)]
    return [text for one in node for text in texts(one)] if isinstance(node, list) else []
