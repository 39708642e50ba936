import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from config.settings import Notify
from pipeline.alerts.transition import Transition
from pipeline.notify import Notifier
from pipeline.operations import Operations, this_process
from pipeline.state_file import OperationsRefused

S = 10**9


def transition(what: str = "opened", since: str = "2026-03-01", **more: object) -> Transition:
    return Transition(
        pilot="test",
        kind="drop_off",
        series="contributions",
        what=what,
        day="2026-03-01",
        since=since,
        at_ns=5 * S,
        sentence="It fell.",
        reason="fell",
        **more,
    )  # type: ignore[arg-type]


@pytest.fixture
def operations() -> Iterator[Operations]:
    found = Operations(":memory:")
    yield found
    found.close()


def test_a_transition_recorded_twice_is_one_incident_and_one_letter(operations: Operations) -> None:
    assert operations.record(transition(), 10 * S, synthetic=True) is not None
    assert operations.record(transition(), 11 * S, synthetic=True) is None
    [incident] = operations.incidents(["test"])
    assert (incident.opened_ns, incident.closed_ns, incident.synthetic) == (5 * S, None, True)
    assert len(operations.due(20 * S)) == 1


def test_closing_ends_the_incident_and_says_so_once(operations: Operations) -> None:
    operations.record(transition(), 10 * S, synthetic=False)
    assert operations.record(transition("closed"), 12 * S, synthetic=False) is not None
    assert operations.record(transition("closed"), 13 * S, synthetic=False) is None
    assert operations.incidents(["test"], open_only=True) == []
    assert [letter.key for letter in operations.due(20 * S)] == ["1|opened", "1|closed"]


def test_what_is_back_filled_is_recorded_and_notifies_nobody(operations: Operations) -> None:
    assert operations.record(transition(backfill=True), 10 * S, synthetic=False) is not None
    assert operations.due(20 * S) == []


def test_incidents_outlive_the_process(tmp_path: Path) -> None:
    first = Operations(tmp_path / "deep" / "operations.db")
    first.record(transition(), 10 * S, synthetic=False)
    first.keep_state("test", "app", "feed_silent", b'["heard"]')
    first.close()
    again = Operations(tmp_path / "deep" / "operations.db")
    assert len(again.incidents(["test"])) == 1
    assert again.state("test", "app", "feed_silent") == b'["heard"]'
    again.close()


def test_a_second_holder_of_a_lease_is_refused_in_a_sentence(operations: Operations) -> None:
    operations.lease("pipeline", "elsewhere/1", 10 * S)
    with pytest.raises(OperationsRefused, match="another pipeline already works on this state"):
        operations.lease("pipeline", this_process(), 11 * S)
    operations.lease("pipeline", this_process(), 100 * S)  # the other one has not renewed it


def test_a_lease_of_a_process_that_is_gone_is_free(operations: Operations) -> None:
    host = this_process().partition("/")[0]
    operations.lease("pipeline", f"{host}/4194304", 10 * S)
    operations.lease("pipeline", this_process(), 11 * S)


def test_a_database_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    import sqlite3

    with sqlite3.connect(tmp_path / "o.db") as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(OperationsRefused, match="newer Periscope"):
        Operations(tmp_path / "o.db")


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OperationsRefused, match="PERISCOPE_STATE"):
        Operations(tmp_path / "file" / "operations.db")


class Receiver:
    """A webhook that answers as told and remembers what it got."""

    def __init__(self, answers: list[int]) -> None:
        self.got: list[tuple[str, dict[str, object]]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                receiver.got.append((self.headers["Idempotency-Key"], body))
                self.send_response(answers.pop(0) if answers else 200)
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def notifier(self) -> Notifier:
        return Notifier(Notify(webhook_url=f"http://127.0.0.1:{self.server.server_port}/"))

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def test_a_receiver_that_fails_five_times_gets_it_once_it_works(operations: Operations) -> None:
    receiver = Receiver([500, 503, 429, 500, 502])
    try:
        operations.record(transition(), 10 * S, synthetic=True)
        now = 10 * S
        delivered = 0
        for _ in range(6):
            delivered += receiver.notifier().deliver(operations, now)
            assert receiver.notifier().deliver(operations, now) == 0  # not before its pause is over
            now += 700 * S
        assert delivered == 1
        assert {key for key, _ in receiver.got} == {"1|opened"}
        assert len(receiver.got) == 6
        assert receiver.got[-1][1]["incident"]["synthetic"] is True  # type: ignore[index]
        assert receiver.notifier().deliver(operations, now) == 0
    finally:
        receiver.close()


def test_a_refused_letter_is_kept_with_its_reason_and_not_sent_again(operations: Operations) -> None:
    receiver = Receiver([404])
    try:
        operations.record(transition(), 10 * S, synthetic=False)
        assert receiver.notifier().deliver(operations, 10 * S) == 0
        assert receiver.notifier().deliver(operations, 10**6 * S) == 0
        assert len(receiver.got) == 1
    finally:
        receiver.close()


def test_an_answer_that_is_no_http_is_tried_again_and_stops_nothing(operations: Operations) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            client, _ = server.accept()
            with client:
                client.recv(65_536)
                client.sendall(b"what is this?\r\n\r\n")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        operations.record(transition(), 10 * S, synthetic=False)
        nowhere = Notifier(Notify(webhook_url=f"http://127.0.0.1:{server.getsockname()[1]}/"))
        assert nowhere.deliver(operations, 10 * S) == 0
        thread.join(timeout=10)
    assert len(operations.due(10**5 * S)) == 1


def test_what_cannot_be_delivered_for_a_day_is_given_up(operations: Operations) -> None:
    nowhere = Notifier(Notify(webhook_url="http://127.0.0.1:1/"))
    operations.record(transition(), 10 * S, synthetic=False)
    nowhere.deliver(operations, 10 * S)
    assert operations.due(10**5 * S) != []
    nowhere.deliver(operations, 10**5 * S)
    assert operations.due(10**6 * S) == []


def test_the_sender_stops_when_told_to(operations: Operations) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=Notifier(Notify()).run, args=(operations, lambda: 20 * S, stop, 3600.0))
    thread.start()
    stop.set()
    thread.join(timeout=10)
    assert not thread.is_alive()
