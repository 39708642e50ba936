"""Calling a callback as a browser does: by POST through the test client."""

import json
from typing import Any

from dash import Dash
from werkzeug.test import TestResponse


def names(app: Dash) -> list[str]:
    """The outputs of all callbacks that the server runs."""
    return [name for name, one in app.callback_map.items() if "callback" in one]


def post(app: Dash, output: str, values: dict[str, Any], **headers: str) -> TestResponse:
    """Call the callback with this output; an input without a given value is null."""
    known = app.callback_map[output]

    def given(one: dict[str, Any]) -> dict[str, Any]:
        return {**one, "value": values.get(f"{one['id']}.{one['property']}")}

    outputs = [
        dict(zip(("id", "property"), part.rsplit(".", 1), strict=True)) for part in output.strip(".").split("...")
    ]
    changed = [name for name in values if any(name == f"{one['id']}.{one['property']}" for one in known["inputs"])]
    body = {
        "output": output,
        "outputs": outputs if output.startswith("..") else outputs[0],
        "inputs": [given(one) for one in known["inputs"]],
        "state": [given(one) for one in known["state"]],
        "changedPropIds": changed,
    }
    return app.server.test_client().post(
        "/_dash-update-component", data=json.dumps(body), content_type="application/json", headers=headers
    )


def texts(node: Any) -> list[str]:
    """Every text in an answer, in order."""
    if isinstance(node, str):
        return [node]
    if isinstance(node, dict):
        return [text for key, one in node.items() if key not in ("type", "namespace", "id") for text in texts(one)]
    return [text for one in node for text in texts(one)] if isinstance(node, list) else []
