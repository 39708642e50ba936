"""Each part's token does its own work and nothing else, on a real InfluxDB prepared by deploy's script."""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services.influxdb import Influx

INIT = Path(__file__).parents[2] / "deploy/influxdb/init.py"
ACTIONS = ["write raw", "write derived", "read raw", "read derived", "delete raw", "delete derived"]
ALLOWED = {
    "collector": {"write raw", "read raw", "delete raw"},
    "pipeline": {"read raw", "read derived", "write derived", "delete derived"},
    "dashboard": {"read derived"},
    "eraser": {"write raw", "read raw", "delete raw"},
}
# InfluxDB 2.7 says of a bucket that a token may not read that there is none.
DENIED = {"write": (403,), "read": (403, 404), "delete": (403,)}


def init(url: str, secrets: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(INIT), "--url", url, "--secrets", str(secrets), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influx]:
    """A server that was empty before deploy's script ran on it; its secrets are in `folder`/secrets."""
    folder = tmp_path_factory.mktemp("influx")
    service = Influx(folder, setup=False)
    service.start()
    try:
        made = init(service.url, folder / "secrets")
        assert made.returncode == 0, made.stderr
        yield service
    finally:
        service.stop()


def secret(server: Influx, name: str) -> str:
    return (server.folder / f"secrets/influx_{name}").read_text()


def status(server: Influx, token: str, method: str, path: str, body: bytes | None = None) -> int:
    """The HTTP status of one request."""
    request = urllib.request.Request(
        server.url + path,
        body,
        method=method,
        headers={"Authorization": f"Token {token}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            code: int = response.status
            return code
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def do(server: Influx, token: str, action: str) -> int:
    verb, bucket = action.split()
    where = f"org=periscope&bucket={bucket}"
    if verb == "write":
        point = f"usage,pilot=bremen value=1 {time.time_ns()}".encode()
        return status(server, token, "POST", f"/api/v2/write?{where}&precision=ns", point)
    if verb == "delete":
        range_ = {"start": "1970-01-01T00:00:00Z", "stop": "1970-01-01T00:00:01Z"}
        return status(server, token, "POST", f"/api/v2/delete?{where}", json.dumps(range_).encode())
    query = {"type": "flux", "query": f'from(bucket: "{bucket}") |> range(start: 0) |> limit(n: 1)'}
    return status(server, token, "POST", "/api/v2/query?org=periscope", json.dumps(query).encode())


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("part", ALLOWED)
def test_each_token_does_its_own_work_and_nothing_else(prepared: Influx, part: str, action: str) -> None:
    code = do(prepared, secret(prepared, part), action)
    if action in ALLOWED[part]:
        assert code in (200, 204)
    else:
        assert code in DENIED[action.split()[0]]


@pytest.mark.parametrize("part", ALLOWED)
def test_no_token_of_a_part_administers(prepared: Influx, part: str) -> None:
    token = secret(prepared, part)
    operator = {"Authorization": f"Token {secret(prepared, 'operator')}"}
    with urllib.request.urlopen(urllib.request.Request(prepared.url + "/api/v2/orgs", headers=operator)) as answer:
        org = json.load(answer)["orgs"][0]["id"]
    bucket = json.dumps({"orgID": org, "name": "mine"}).encode()
    right = {"action": "write", "resource": {"type": "buckets", "orgID": org}}
    more = json.dumps({"orgID": org, "permissions": [right]}).encode()
    assert status(prepared, token, "POST", "/api/v2/buckets", bucket) in (401, 403)
    assert status(prepared, token, "POST", "/api/v2/authorizations", more) in (401, 403)
    assert status(prepared, token, "DELETE", f"/api/v2/orgs/{org}") in (401, 403)


def test_a_request_without_a_token_is_denied(prepared: Influx) -> None:
    assert {do(prepared, "", action) for action in ACTIONS} == {401}


def test_a_second_run_keeps_every_secret(prepared: Influx) -> None:
    before = {part: secret(prepared, part) for part in ALLOWED}
    again = init(prepared.url, prepared.folder / "secrets")
    assert (again.returncode, again.stdout) == (0, "influxdb: everything was there already\n")
    assert {part: secret(prepared, part) for part in ALLOWED} == before


def test_a_lost_token_file_is_replaced_and_the_old_token_ends(prepared: Influx) -> None:
    old = secret(prepared, "eraser")
    (prepared.folder / "secrets/influx_eraser").unlink()
    again = init(prepared.url, prepared.folder / "secrets")
    assert again.stdout == "influxdb: made the token of the eraser\n"
    assert do(prepared, old, "read raw") == 401
    assert do(prepared, secret(prepared, "eraser"), "read raw") == 200


def test_secrets_are_private_and_never_printed(prepared: Influx) -> None:
    files = list((prepared.folder / "secrets").iterdir())
    assert {path.stat().st_mode & 0o077 for path in files} == {0}
    printed = init(prepared.url, prepared.folder / "secrets").stdout
    assert not [path for path in files if path.read_text() in printed]


def test_events_expire_and_values_stay(prepared: Influx) -> None:
    operator = {"Authorization": f"Token {secret(prepared, 'operator')}"}
    with urllib.request.urlopen(urllib.request.Request(prepared.url + "/api/v2/buckets", headers=operator)) as answer:
        kept = {b["name"]: b["retentionRules"][0]["everySeconds"] for b in json.load(answer)["buckets"]}
    assert (kept["raw"], kept["derived"]) == (1095 * 86400, 0)


def test_without_a_server_the_script_says_what_to_do(tmp_path: Path, free_port: int) -> None:
    ended = init(f"http://127.0.0.1:{free_port}", tmp_path, "--wait", "0")
    assert ended.returncode == 1
    assert ended.stderr.startswith("influxdb: no InfluxDB answers at")
    assert "Traceback" not in ended.stderr


def test_without_the_operator_token_the_script_says_what_to_do(prepared: Influx, tmp_path: Path) -> None:
    ended = init(prepared.url, tmp_path)
    assert ended.returncode == 1
    assert "put an operator token there" in ended.stderr
