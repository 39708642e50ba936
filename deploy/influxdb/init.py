#!/usr/bin/env python3
"""Prepares InfluxDB 2 for Periscope: organisation, buckets, and one least-privilege token per part.

Safe to run again: what is there is kept, what is missing is made. Secrets are written to files that only
their owner reads, and are never printed:
`influx_admin` (password), `influx_operator` (the token that may do everything; keep it offline), and
`influx_collector`, `influx_pipeline`, `influx_dashboard`, `influx_eraser`.
Needs nothing but Python 3.11.
"""

import argparse
import json
import os
import secrets
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

# Who may do what. Writing to a bucket includes deleting from it: InfluxDB has no separate right.
TOKENS = {
    "collector": [("read", "raw"), ("write", "raw")],
    "pipeline": [("read", "raw"), ("read", "derived"), ("write", "derived")],
    "dashboard": [("read", "derived")],
    "eraser": [("read", "raw"), ("write", "raw")],
}


class NotPrepared(Exception):
    """What stands in the way, and the remedy, as one sentence."""


class Server:
    """The HTTP API of one InfluxDB."""

    def __init__(self, url: str, token: str = "") -> None:
        self.url = url.rstrip("/")
        self.token = token

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        request = urllib.request.Request(self.url + path, method=method, headers={"Content-Type": "application/json"})
        if self.token:
            request.add_header("Authorization", f"Token {self.token}")
        data = None if body is None else json.dumps(body).encode()
        try:
            with urllib.request.urlopen(request, data, timeout=30) as response:
                text = response.read()
        except urllib.error.HTTPError as error:
            remedy = "correct the file influx_operator" if error.code == 401 else "see the server's log"
            raise NotPrepared(f"{method} {path} was refused with {error.code}: {remedy}") from None
        return json.loads(text) if text else None

    def wait(self, deadline_s: float) -> None:
        """Return when the server is healthy."""
        end = time.monotonic() + deadline_s
        while True:
            try:
                if self.call("GET", "/health")["status"] == "pass":
                    return
            except (OSError, NotPrepared, ValueError):
                pass
            if time.monotonic() > end:
                raise NotPrepared(f"no InfluxDB answers at {self.url}: start it or correct --url")
            time.sleep(0.5)


class Secrets:
    """The folder of secret files."""

    def __init__(self, folder: Path, owner: int | None) -> None:
        self.folder = folder
        self.owner = owner
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def read(self, name: str) -> str:
        path = self.folder / f"influx_{name}"
        return path.read_text().strip() if path.exists() else ""

    def write(self, name: str, secret: str) -> None:
        path = self.folder / f"influx_{name}"
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secret)
        # What may do everything stays with root.
        if self.owner is not None and name in TOKENS:
            os.chown(path, self.owner, -1)

    def read_or_make(self, name: str) -> str:
        """On disk before it is used, so that a crash in between locks nobody out."""
        if not self.read(name):
            self.write(name, secrets.token_urlsafe(32))
        return self.read(name)


def prepare(server: Server, files: Secrets, org: str, days: dict[str, int]) -> list[str]:
    """Make what is missing; returns what was done, one sentence each."""
    done = []
    if server.call("GET", "/api/v2/setup")["allowed"]:
        server.call(
            "POST",
            "/api/v2/setup",
            {
                "username": "admin",
                "password": files.read_or_make("admin"),
                "org": org,
                "bucket": "raw",
                "retentionPeriodSeconds": days["raw"] * 86400,
                "token": files.read_or_make("operator"),
            },
        )
        done.append(f"set up the organisation {org}")
    if not files.read("operator"):
        raise NotPrepared(
            f"{files.folder}/influx_operator is missing, and this InfluxDB is already set up: "
            "put an operator token there"
        )
    server.token = files.read("operator")
    found = [one for one in server.call("GET", "/api/v2/orgs?limit=100")["orgs"] if one["name"] == org]
    if not found:
        raise NotPrepared(f'this InfluxDB has no organisation "{org}": correct --org')
    org_id = found[0]["id"]
    buckets = {name: _bucket(server, org_id, name, days[name], done) for name in ("raw", "derived")}
    for part, rights in TOKENS.items():
        _token(server, files, org_id, part, [(action, buckets[name]) for action, name in rights], done)
    return done


def _bucket(server: Server, org_id: str, name: str, days: int, done: list[str]) -> str:
    """Id of the bucket. Retention of an existing one is left alone: shortening it would delete data."""
    listed = server.call("GET", f"/api/v2/buckets?orgID={org_id}&limit=100")["buckets"]
    found = [bucket for bucket in listed if bucket["name"] == name]
    if not found:
        rules = [{"type": "expire", "everySeconds": days * 86400}] if days else []
        body = {"orgID": org_id, "name": name, "retentionRules": rules}
        found = [server.call("POST", "/api/v2/buckets", body)]
        done.append(f"made the bucket {name}")
    bucket_id: str = found[0]["id"]
    return bucket_id


def _token(
    server: Server, files: Secrets, org_id: str, part: str, rights: list[tuple[str, str]], done: list[str]
) -> None:
    """One token per part; one whose file or authorisation is gone, or whose rights differ, is made again."""
    name = f"periscope {part}"
    wanted = {(action, bucket) for action, bucket in rights}
    mine = [
        a
        for a in server.call("GET", f"/api/v2/authorizations?orgID={org_id}")["authorizations"]
        if a["description"] == name
    ]
    kept = files.read(part)
    for one in mine:
        has = {(p["action"], p["resource"].get("id")) for p in one["permissions"]}
        if one["token"] == kept and has == wanted and one["status"] == "active":
            return
    for one in mine:
        server.call("DELETE", f"/api/v2/authorizations/{one['id']}")
    answer = server.call(
        "POST",
        "/api/v2/authorizations",
        {
            "orgID": org_id,
            "description": name,
            "permissions": [
                {"action": action, "resource": {"type": "buckets", "id": bucket, "orgID": org_id}}
                for action, bucket in rights
            ],
        },
    )
    files.write(part, answer["token"])
    done.append(f"made the token of the {part}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:8086")
    parser.add_argument("--org", default="periscope")
    parser.add_argument("--secrets", type=Path, required=True, help="folder of the secret files")
    parser.add_argument("--owner", type=int, help="user id that the parts' tokens are given to (needs root)")
    parser.add_argument("--raw-days", type=int, default=1095, help="days that events are kept; 0 is for ever")
    parser.add_argument("--derived-days", type=int, default=0, help="days that values are kept; 0 is for ever")
    parser.add_argument("--wait", type=float, default=60, help="seconds to wait for the server")
    options = parser.parse_args()
    server = Server(options.url)
    try:
        server.wait(options.wait)
        days = {"raw": options.raw_days, "derived": options.derived_days}
        done = prepare(server, Secrets(options.secrets, options.owner), options.org, days)
    except (NotPrepared, OSError) as error:
        print(f"influxdb: {error}", file=sys.stderr)
        return 1
    print("\n".join(f"influxdb: {sentence}" for sentence in done or ["everything was there already"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
