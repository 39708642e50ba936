"""How the InfluxDB adapter takes an answer, against a small real HTTP server that gives each one."""

import json
import math
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pipeline.model import Record, Refusal, Touch
from pipeline.store import flux
from pipeline.store.influx import MOST_BYTES, MOST_LINES, InfluxStore, batches
from pipeline.store.port import PENDING_DELETION, StoreAway, StoreHeld, StoreRefused
from pipeline.store.responses import retry_after_s
from tests.contract.samples import EVER, T0, action
from tests.services.process import free_port

RECORD = Record(kind="now", pilot="m", key="now", time_ns=0, body=b"{}")
PARSE_ERROR = "unable to parse 'usage,pilot=milan body=\"about a person\" 1': bad timestamp"


class Stub(ThreadingHTTPServer):
    """Takes writes; lines that hold a text of `bad` refuse their request with `status` and `message`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.status, self.message, self.headers = 400, PARSE_ERROR, dict[str, str]()
        self.bad: list[bytes] = []
        self.always = False
        self.query_answer = b""
        self.stored: set[bytes] = set()
        self.sizes: list[int] = []
        self.connections: set[object] = set()


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65_536  # one packet per answer: two would wait for each other's acknowledgement
    server: Stub

    def do_POST(self) -> None:
        stub = self.server
        stub.connections.add(self.client_address)
        data = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.startswith("/api/v2/query") and not stub.always:
            self._say(200, stub.query_answer, {})
            return
        lines = data.split(b"\n")
        stub.sizes.append(len(lines))
        refused = [line for line in lines if any(text in line for text in stub.bad)]
        if stub.always or refused:
            if stub.status == 422:
                stub.stored.update(set(lines) - set(refused))
            self._say(stub.status, json.dumps({"code": "x", "message": stub.message}).encode(), stub.headers)
        else:
            stub.stored.update(lines)
            self._say(204, b"", {})

    def _say(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the answers are asserted."""


@pytest.fixture
def stub() -> Iterator[Stub]:
    server = Stub()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def store(stub: Stub) -> Iterator[InfluxStore]:
    opened = InfluxStore(f"http://127.0.0.1:{stub.server_port}", "org", "token", "raw", "derived", timeout_s=5)
    yield opened
    opened.close()


@pytest.mark.parametrize("status", [400, 413, 422])
@pytest.mark.parametrize("bad", [[0], [999], [0, 999], [500, 501], list(range(0, 1000, 111)), list(range(700, 732))])
def test_bad_points_are_found_by_halving_within_the_bound(
    stub: Stub, store: InfluxStore, status: int, bad: list[int]
) -> None:
    stub.status, stub.bad = status, [f'"e{place:04}"'.encode() for place in bad]
    refused = store.write([action(f"e{place:04}", T0 + place) for place in range(1000)])
    assert [refusal.event_id for refusal in refused] == [f"e{place:04}" for place in bad]
    assert len(stub.stored) == 1000 - len(bad)
    assert len(stub.sizes) <= 2 * len(bad) * math.ceil(math.log2(1000)) + 2
    assert len(stub.connections) == 1, "one connection serves every request"


@pytest.mark.parametrize(
    ("status", "message", "code"),
    [
        (413, "too big", "too_large"),
        (422, "partial write: points beyond retention policy dropped=1", "beyond_retention"),
        (422, "partial write: field type conflict: input field value", "type_conflict"),
        (400, PARSE_ERROR, "refused_by_store"),
    ],
)
def test_a_refusal_names_its_cause_without_repeating_the_line(
    stub: Stub, store: InfluxStore, status: int, message: str, code: str
) -> None:
    stub.status, stub.message, stub.bad = status, message, [b'"bad"']
    (refusal,) = store.write([action("good"), action("bad")])
    assert (refusal.event_id, refusal.code) == ("bad", code)
    assert isinstance(refusal, Refusal)
    assert refusal.reason
    assert "person" not in refusal.reason


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_an_overloaded_server_means_try_again_and_asks_once(stub: Stub, store: InfluxStore, status: int) -> None:
    stub.status, stub.always, stub.headers = status, True, {"Retry-After": "7"}
    with pytest.raises(StoreAway) as away:
        store.write([action("e")])
    assert away.value.retry_after_s == 7
    assert not isinstance(away.value, StoreHeld)
    assert len(stub.sizes) == 1, "waiting is for the caller, who has the points on disk"


def test_only_points_of_a_shard_that_is_being_deleted_wait(stub: Stub, store: InfluxStore) -> None:
    stub.status, stub.message = 422, "partial write: shard 7 is pending deletion dropped=1"
    stub.bad = [b'"e0007"']
    (refused,) = store.write([action(f"e{place:04}", T0 + place) for place in range(100)])
    assert (refused.event_id, refused.code) == ("e0007", PENDING_DELETION)
    assert len(stub.stored) == 99
    stub.always = True
    for call in (lambda: store.touch([Touch(pilot="m", day="2026-01-01", seq=1)]), lambda: store.put([RECORD])):
        with pytest.raises(StoreAway) as away:
            call()
        assert away.value.retry_after_s == 60


@pytest.mark.parametrize(("status", "remedy"), [(401, "TOKEN"), (403, "rights"), (404, "bucket")])
def test_wrong_configuration_holds_everything_and_names_the_remedy(
    stub: Stub, store: InfluxStore, status: int, remedy: str
) -> None:
    stub.status, stub.always = status, True
    calls = (
        lambda: store.write([action("e")]),
        lambda: store.read("milan", ["usage"], *EVER),
        store.ping,
        lambda: store.delete([action("e")]),
        lambda: store.touch([Touch(pilot="m", day="2026-01-01", seq=1)]),
    )
    for call in calls:
        with pytest.raises(StoreHeld, match=remedy):
            call()


def test_a_server_that_is_not_there_or_breaks_off_means_try_again(stub: Stub, store: InfluxStore) -> None:
    nobody = InfluxStore(f"http://127.0.0.1:{free_port()}", "org", "secret", "raw", "derived")
    with pytest.raises(StoreAway, match="cannot be reached") as away:
        nobody.write([action("e")])
    assert "secret" not in str(away.value)
    nobody.close()
    stub.query_answer = b',result,table,_value\r\n,_result,0,"{}"\r\n'
    stub.status, stub.always, stub.headers = 200, True, {"Content-Length": "5000", "Connection": "close"}
    with pytest.raises(StoreAway, match="cannot be reached"):
        store.read("milan", ["usage"], *EVER)


def test_an_error_told_in_the_middle_of_an_answer_is_not_the_end_of_the_data(stub: Stub, store: InfluxStore) -> None:
    stub.query_answer = b',result,table,_value\r\n,_result,0,"{}"\r\n\r\nerror,reference\r\nout of memory,897\r\n'
    with pytest.raises(StoreAway, match="out of memory"):
        store.read("milan", ["usage"], *EVER)


@pytest.mark.parametrize("status", [200, 202, 301, 302, 303, 307, 405, 409, 418, 451])
def test_another_server_than_influxdb_is_told_and_waited_for(stub: Stub, store: InfluxStore, status: int) -> None:
    stub.status, stub.always, stub.message = status, True, "sign in, please"
    stub.headers = {"Location": "/sign-in"}
    with pytest.raises(StoreHeld, match="is this an InfluxDB 2"):
        store.write([action("e")])


def test_what_is_no_http_means_try_again(store: InfluxStore) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            with server.accept()[0] as client:
                client.recv(65536)
                client.sendall(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        other = InfluxStore(f"http://127.0.0.1:{server.getsockname()[1]}", "org", "t", "raw", "derived", timeout_s=5)
        with pytest.raises(StoreAway, match="cannot be reached"):
            other.write([action("e")])
        thread.join()
        other.close()


@pytest.mark.parametrize("token", ["two\nlines", "naïve", "\0"])
def test_a_token_that_no_header_can_carry_is_refused_without_being_repeated(token: str) -> None:
    with pytest.raises(StoreRefused, match="PERISCOPE_INFLUX__TOKEN") as refused:
        InfluxStore("http://127.0.0.1:1", "org", token, "raw", "derived")
    assert token not in str(refused.value)


def test_an_address_that_is_none_is_told(store: InfluxStore) -> None:
    lost = InfluxStore("http://", "org", "token", "raw", "derived")
    with pytest.raises(StoreAway, match=r"PERISCOPE_INFLUX__URL|cannot be reached"):
        lost.ping()
    lost.close()


def test_requests_stay_within_5000_lines_and_a_mebibyte() -> None:
    small = [("e", b"x" * 10)] * (2 * MOST_LINES + 1)
    assert [len(batch) for batch in batches(small)] == [MOST_LINES, MOST_LINES, 1]
    large = [("e", b"x" * 300_000)] * 7 + [("e", b"x" * 2_000_000)] + [("e", b"y")]
    cut = list(batches(large))
    assert [point for batch in cut for point in batch] == large
    assert [sum(len(line) + 1 for _, line in batch) - 1 for batch in cut if len(batch) > 1] == [900_002, 900_002]
    assert all(sum(len(line) + 1 for _, line in batch) - 1 <= MOST_BYTES for batch in cut if len(batch) > 1)
    assert list(batches([])) == []


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "0"}, 0),
        ({"retry-after": "2.5"}, 2.5),
        ({"Retry-After": "-5"}, 0),
        ({"Retry-After": "99999"}, 600),
        ({"Retry-After": "Wed, 25 Nov 2026 10:00:30 GMT", "Date": "Wed, 25 Nov 2026 10:00:00 GMT"}, 30),
        ({"Retry-After": "Wed, 25 Nov 2026 09:00:00 GMT", "Date": "Wed, 25 Nov 2026 10:00:00 GMT"}, 0),
        ({"Retry-After": "Wed, 25 Nov 2026 10:00:30 GMT"}, None),
        ({"Retry-After": "soon", "Date": "x"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "inf"}, 600),
        ({}, None),
    ],
)
def test_the_servers_wish_to_wait_is_understood(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(headers) == seconds


@pytest.mark.parametrize(
    ("measurement", "tags"),
    [
        ("", (("pilot", "x"),)),
        ("usage", ()),
        ("usage", (("pilot", ""),)),
        ("usage", (("pilot", 'x" OR "'),)),
        ('x" OR "', (("pilot", "x"),)),
        ("usage", (("pilot", "x\\"),)),
    ],
)
def test_no_delete_is_made_without_a_full_and_safe_predicate(
    measurement: str, tags: tuple[tuple[str, str], ...]
) -> None:
    with pytest.raises(ValueError, match="a delete needs"):
        flux.predicate(measurement, tags)
