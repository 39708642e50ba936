"""Delivery against real receivers: each attempt is a process, and only the clock is ours."""

import email
import email.policy
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.delivery.channels import Channel, Mail, Other
from pipeline.delivery.channels import Webhook as WebAddress
from pipeline.delivery.post import Post
from pipeline.delivery.routes import Route, Routes
from pipeline.operations import Operations
from tests.integration.doctor_site import certificate
from tests.receivers import MailServer, Webhook
from tests.services.process import wait_until
from tests.unit.pipeline.test_operations import S, transition

HOUR = 3600 * S
DAY = 24 * HOUR


class Site:
    """An operational database with these channels, and their post, on a clock that the test moves."""

    def __init__(self, path: Path, channels: dict[str, Any], deadline_s: float = 20, **rules: Any) -> None:
        self.now = 1000 * DAY
        routes = rules.pop("routes", tuple(Route(name) for name in channels))
        self.operations = Operations(path, Routes(routes, base="https://periscope.example", **rules))
        named = {name: Channel(name, address) for name, address in channels.items()}
        self.post = Post(self.operations, named, lambda: self.now, deadline_s=deadline_s)

    def opens(self, number: int = 1, **more: Any) -> None:
        self.operations.record(transition(since=f"day {number}", at_ns=self.now, **more), self.now, synthetic=False)

    def closes(self, number: int = 1) -> None:
        self.operations.record(transition("closed", since=f"day {number}"), self.now, synthetic=False)

    def later(self, ns: int) -> None:
        self.now += ns

    def failing(self) -> list[str]:
        """Channels whose failing is an open incident."""
        found = self.operations.of_kind("-", "channel_failing")
        return [one.series for one in found if one.closed_ns is None]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Callable[..., Site]]:
    made: list[Site] = []

    def make(channels: dict[str, Any], **rules: Any) -> Site:
        made.append(Site(tmp_path / "operations.db", channels, **rules))
        return made[-1]

    yield make
    for one in made:
        one.operations.close()


def test_a_receiver_that_fails_five_times_gets_it_once_it_works(site: Callable[..., Site]) -> None:
    with Webhook([500, 503, 429, "no http", 502]) as receiver:
        one = site({"ops": WebAddress(receiver.url)})
        one.opens()
        one.later(10 * S)
        delivered = 0
        for _ in range(6):
            delivered += one.post.deliver("ops")
            assert one.post.deliver("ops") == 0  # not before its pause is over
            one.later(800 * S)
        assert (delivered, len(receiver.got), len(set(receiver.keys))) == (1, 6, 1)
        key, body = receiver.got[-1]
        assert body["key"] == key
        assert body["link"] == "https://periscope.example/alerts?incident=1"
        assert one.operations.read("SELECT count(*) FROM notification WHERE incident = 1") == [(1,)]
        assert one.failing() == []


def test_a_receiver_that_asks_for_a_pause_gets_it(site: Callable[..., Site]) -> None:
    with Webhook([429]) as receiver:
        receiver.retry_after = "1800"
        one = site({"ops": WebAddress(receiver.url)})
        one.opens()
        one.later(10 * S)
        one.post.deliver("ops")
        one.later(1790 * S)
        assert one.post.deliver("ops") == 0
        one.later(20 * S)
        assert (one.post.deliver("ops"), len(receiver.got)) == (1, 2)


def test_a_clock_that_goes_back_holds_nothing_up_and_tells_nothing_twice(site: Callable[..., Site]) -> None:
    with Webhook([500]) as receiver:
        one = site({"ops": WebAddress(receiver.url)})
        one.opens()
        one.later(10 * S)
        one.post.deliver("ops")
        one.opens(2, series="comments")
        one.later(-DAY)
        assert one.post.deliver("ops") == 2
        one.later(DAY + HOUR)
        assert one.post.deliver("ops") == 0


@pytest.mark.parametrize("answer", [404, 401, 302, 307])
def test_a_refusal_is_given_up_and_the_other_channels_hear_of_it(site: Callable[..., Site], answer: int) -> None:
    with Webhook(always=answer) as refusing, Webhook() as working:
        one = site({"ops": WebAddress(refusing.url), "desk": WebAddress(working.url)})
        one.opens()
        one.later(10 * S)
        assert (one.post.deliver("ops"), one.post.deliver("desk")) == (0, 1)
        one.later(DAY)
        one.post.deliver("ops")
        one.post.deliver("desk")
        assert (len(refusing.got), refusing.gets) == (1, [])
        assert one.failing() == ["ops"]
        assert f"Channel ops does not deliver: it answered {answer}" in working.got[-1][1]["sentence"]
        refusing.always = 200
        one.opens(2, series="comments")
        one.later(10 * S)
        assert one.post.deliver("ops") == 1
        assert one.failing() == []


def test_a_channel_that_fails_resends_nothing_on_another(site: Callable[..., Site]) -> None:
    with Webhook(always=500) as failing, Webhook() as working:
        one = site({"ops": WebAddress(failing.url), "desk": WebAddress(working.url)})
        one.opens()
        for _ in range(4):
            one.later(800 * S)
            one.post.deliver("ops")
            one.post.deliver("desk")
        assert len(failing.got) == 4
        assert [body["what"] for _, body in working.got] == ["opened", "opened"]
        assert working.got[-1][1]["incident"]["kind"] == "channel_failing"


def test_a_channel_that_hangs_is_cut_off_and_holds_up_no_other(site: Callable[..., Site]) -> None:
    with Webhook(["hang"]) as hanging, Webhook() as working:
        one = site({"ops": WebAddress(hanging.url), "desk": WebAddress(working.url)}, group_wait_s=0, deadline_s=5)
        one.opens()
        one.post.start()
        try:
            _until(lambda: len(working.got) == 1 and len(hanging.got) == 1)
            [(attempts,)] = one.operations.read("SELECT attempts FROM letter WHERE channel = 'ops'")
            assert attempts == 0  # it still hangs, and the other has been told
            _until(lambda: one.operations.read("SELECT attempts FROM letter WHERE channel = 'ops'") == [(1,)])
            one.later(10 * S)
            _until(lambda: len(hanging.got) == 2)
            _until(lambda: one.operations.read("SELECT 1 FROM letter WHERE sent_ns IS NULL") == [])
        finally:
            one.post.stop()
        assert len(set(hanging.keys)) == 1


def test_stopping_waits_for_no_receiver(site: Callable[..., Site]) -> None:
    with Webhook(always="hang") as hanging:
        one = site({"ops": WebAddress(hanging.url)}, group_wait_s=0, deadline_s=600)
        one.opens()
        one.post.start()
        _until(lambda: len(hanging.got) == 1)
        ending = threading.Thread(target=one.post.stop, daemon=True)
        ending.start()
        ending.join(timeout=60)
        assert not ending.is_alive()
    assert one.operations.read("SELECT sent_ns, failed FROM letter") == [(None, None)]


def test_what_cannot_be_delivered_for_a_day_is_given_up(site: Callable[..., Site]) -> None:
    one = site({"ops": WebAddress("http://127.0.0.1:1/")})
    one.opens()
    one.later(10 * S)
    one.post.deliver("ops")
    assert one.failing() == []
    one.later(HOUR)
    one.post.deliver("ops")
    assert one.failing() == ["ops"]
    one.later(DAY)
    one.post.deliver("ops")
    [(failed,)] = one.operations.read("SELECT failed FROM letter")
    assert failed.startswith("not delivered within a day: it gave no answer")
    assert one.failing() == ["ops"]


def test_one_evaluation_of_a_pilot_is_one_letter(site: Callable[..., Site]) -> None:
    with Webhook() as receiver:
        one = site({"ops": WebAddress(receiver.url)})
        one.opens(1, severity="notice")
        one.later(9 * S)
        one.opens(2, series="comments", severity="critical")
        assert one.post.deliver("ops") == 0
        one.later(S)
        assert one.post.deliver("ops") == 1
        [(_, body)] = receiver.got
        assert body["sentence"].startswith("2 notifications: test: drop off of contributions opened, test: drop off of")
        assert [note["incident"]["series"] for note in body["notifications"]] == ["comments", "contributions"]
        assert [len(note["key"]) for note in body["notifications"]] == [32, 32]


def test_mail_carries_one_id_its_link_and_what_fell(site: Callable[..., Site]) -> None:
    with MailServer() as server:
        server.answer = "451 try again"
        one = site({"mail": _mail(server)})
        one.opens()
        one.later(10 * S)
        assert one.post.deliver("mail") == 0
        server.answer = "250 taken"
        one.later(10 * S)
        assert one.post.deliver("mail") == 1
        first, second = (email.message_from_bytes(one, policy=email.policy.default) for one in server.got)
        assert first["Message-ID"] == second["Message-ID"]
        assert second["Date"] == first["Date"]
        assert second["Subject"] == "[Periscope] test: drop off of contributions opened"
        text = second.get_content()
        assert "It fell." in text
        assert "https://periscope.example/alerts?incident=1" in text


def test_a_mail_that_is_refused_for_good_is_given_up_at_once(site: Callable[..., Site]) -> None:
    with MailServer() as server:
        server.answer = "554 no"
        one = site({"mail": _mail(server)})
        one.opens()
        one.later(10 * S)
        one.post.deliver("mail")
        assert one.operations.read("SELECT failed FROM letter") == [("it answered 554 no",)]
        assert one.failing() == ["mail"]


def test_a_receiver_that_is_refused_beside_others_is_told(site: Callable[..., Site]) -> None:
    with MailServer() as server:
        server.refuses["bo@example.org"] = "550 no such box"
        one = site({"mail": _mail(server, "ana@example.org", "bo@example.org")})
        one.opens()
        one.later(10 * S)
        assert one.post.deliver("mail") == 1
        assert len(server.got) == 1
        [incident] = one.operations.of_kind("-", "channel_failing")
        assert "not to all: bo@example.org: 550" in incident.sentence


# The server does not see that its first byte came by TLS.
@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_mail_by_tls_is_signed_in_and_trusts_no_stranger(
    site: Callable[..., Site],
    tmp_path: Path,
    security: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    trusted = certificate(tmp_path / "tls", days=2)
    with MailServer(trusted, implicit=security == "tls", password="hunter22") as server:
        addresses = {
            name: Mail("127.0.0.1", server.port, security, "ana", word, "p@example.org", ["ana@example.org"])
            for name, word in (("mail", "hunter22"), ("wrong", "hunter23"))
        }
        one = site(addresses)
        one.opens()
        one.later(10 * S)
        assert one.post.deliver("mail") == 0
        assert "certificate verify failed" in caplog.text
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        one.later(10 * S)
        assert (one.post.deliver("mail"), len(server.got)) == (1, 1)
        assert one.post.deliver("wrong") == 0
        [(failed,)] = one.operations.read("SELECT failed FROM letter WHERE failed IS NOT NULL")
        assert failed.startswith("it answered 535")


def test_apprise_delivers_by_the_addresses_it_knows(site: Callable[..., Site]) -> None:
    with Webhook([500, 302]) as receiver:
        one = site({"ops": Other(receiver.url.replace("http", "json"))})
        one.opens()
        for expected in (0, 0, 1):
            one.later(800 * S)
            assert one.post.deliver("ops") == expected
        assert receiver.gets == []
        assert "It fell." in receiver.got[-1][1]["message"]
        assert receiver.got[-1][1]["title"] == "[Periscope] test: drop off of contributions opened"


def test_ten_thousand_flaps_are_few_letters_and_nothing_is_uncounted(site: Callable[..., Site]) -> None:
    with Webhook() as receiver:
        one = site({"ops": WebAddress(receiver.url)}, storm_per_h=4)
        for number in range(5000):
            one.opens(number)
            one.closes(number)
            one.later(S)
            if number % 100 == 0:
                one.post.deliver("ops")
        one.operations.record(transition(kind="feed_silent"), one.now, synthetic=False)
        one.later(10 * S)
        one.post.deliver("ops")  # in the middle of the storm: the first of its kind
        assert receiver.got[-1][1]["incident"]["kind"] == "feed_silent"
        one.later(HOUR)
        one.post.deliver("ops")
        counted = sum(len(body["notifications"]) + body["more"] for _, body in receiver.got)
        assert counted == 10_001
        assert len(receiver.got) <= 4 * 2 + 1 + 1
        assert all(len(json.dumps(body)) < 40_000 for _, body in receiver.got)


def _mail(server: MailServer, *receivers: str) -> Mail:
    return Mail("127.0.0.1", server.port, "none", None, None, "p@example.org", [*receivers] or ["ana@example.org"])


def _until(condition: Callable[[], bool]) -> None:
    wait_until(condition, 60, "what the test waits for")
