"""What goes with delivery: an older database, silences that end, repeats, signs of life, addresses that stay hidden."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from config.alerts import load_alerts
from config.problems import ConfigError
from config.settings import load_settings
from pipeline.alerts.care import Care
from pipeline.delivery.channels import Channel, Mail, Other, channels_of, routes_of
from pipeline.delivery.channels import Webhook as WebAddress
from pipeline.delivery.routes import Route
from pipeline.migrations import MIGRATIONS, statements
from tests.receivers import Webhook
from tests.unit.pipeline.test_delivery import DAY, HOUR, S, Site, site  # noqa: F401

_BEFORE = next(
    at for at, script in enumerate(MIGRATIONS) if "TABLE installation" in script
)  # migrations before one outbox became a row for each channel


def whats(receiver: Webhook) -> list[str]:
    return [body["what"] for _, body in receiver.got]


def test_an_older_database_keeps_what_was_told_and_sends_what_waited(tmp_path: Path) -> None:
    path = tmp_path / "operations.db"
    old = sqlite3.connect(path)
    for script in MIGRATIONS[:_BEFORE]:
        for statement in statements(script):
            old.execute(statement)
    old.execute(f"PRAGMA user_version = {_BEFORE}")
    for number, ended in ((1, 5), (2, None)):
        old.execute(
            "INSERT INTO incident VALUES (?, 'test', 'drop_off', ?, ?, 'day 1', 'It fell.', 'warning', ?, '', 0, 0)",
            (number, f"s{number}", 1000 * DAY, ended),
        )
    incident = '{"id":%d,"pilot":"test","kind":"drop_off","series":"s","synthetic":false}'
    for number, what, sent in ((1, "opened", 7), (1, "closed", None), (2, "opened", None)):
        body = f'{{"key":"{number}|{what}","what":"{what}","reason":"r","sentence":"s","incident":{incident % number}}}'
        old.execute(
            "INSERT INTO outbox (idempotency_key, body, made_ns, due_ns, sent_ns) VALUES (?,?,?,1,?)",
            (f"{number}|{what}", body, 1000 * DAY, sent),
        )
    old.commit()
    old.close()
    with Webhook() as receiver:
        one = Site(path, {"ops": WebAddress(receiver.url)})
        one.post.flush()
        one.post.flush()
        told = [note["key"] for _, body in receiver.got for note in body["notifications"]]
        assert told == ["1|closed", "2|opened"]
        assert one.operations.read("SELECT incident, what FROM notification ORDER BY id") == [
            (1, "opened"), (1, "closed"), (2, "opened"),
        ]  # fmt: skip
        one.operations.close()


def test_two_installations_and_a_restored_one_make_their_own_ids(tmp_path: Path) -> None:
    keys = []
    for name in ("a", "b", "a"):
        one = Site(tmp_path / f"{name}.db", {})
        one.operations.record(_again(), one.now, synthetic=False)
        keys += [key for (key,) in one.operations.read("SELECT key FROM notification")]
        with one.operations.transaction() as database:  # as if the file were restored from before the incident
            database.execute("DROP TRIGGER IF EXISTS transition_is_not_shortened")
            for table in ("notification", "transition", "incident"):
                database.execute(f"DELETE FROM {table}")
        one.operations.close()
    assert keys[0] == keys[2] != keys[1]


def test_what_a_silence_held_back_is_told_once_when_it_ends_and_only_if_it_is_still_open(
    site: Callable[..., Site],  # noqa: F811
) -> None:
    with Webhook() as receiver:
        one = site({"ops": WebAddress(receiver.url)})
        Care(one.operations).silence("ana", "works", one.now, days=2)
        one.opens(1)
        one.opens(2, series="comments")
        one.operations.record(_again("closed", since="day 2", series="comments"), one.now, synthetic=False)
        one.later(DAY)
        one.post.flush()
        assert receiver.got == []
        one.later(DAY + S)
        for _ in range(3):
            one.post.flush()
            one.later(HOUR)
        [(_, body)] = receiver.got
        assert (body["what"], body["incident"]["series"]) == ("opened", "contributions")
        one.closes()
        one.post.flush()
        assert whats(receiver) == ["opened", "closed"]


def test_what_stays_open_is_told_again_unless_somebody_looks_after_it(site: Callable[..., Site]) -> None:  # noqa: F811
    with Webhook() as receiver:
        one = site({"ops": WebAddress(receiver.url)})
        one.opens(1)
        one.operations.record(_again(kind="feed_silent", series="app"), one.now, synthetic=False)
        one.operations.record(_again(series="quiet", quiet=True), one.now, synthetic=False)
        one.post.flush()
        assert whats(receiver) == ["several"]
        one.later(DAY - S)
        one.post.flush()
        assert len(receiver.got) == 1
        one.later(2 * S)
        one.post.flush()
        one.post.flush()
        assert whats(receiver)[1:] == ["reminder"]
        assert receiver.got[-1][1]["incident"]["kind"] == "feed_silent"
        Care(one.operations).acknowledge(2, "ana", "on it", one.now)
        one.later(5 * DAY)
        one.post.flush()
        assert len(receiver.got) == 2
        one.later(DAY)
        one.post.flush()
        assert receiver.got[-1][1]["incident"]["kind"] == "drop_off"
        assert "open for 7 days" in receiver.got[-1][1]["reason"]
        assert len(set(receiver.keys)) == 3


def test_a_sign_of_life_comes_once_a_day_and_only_while_alerts_are_evaluated(
    site: Callable[..., Site],  # noqa: F811
) -> None:
    with Webhook() as receiver, Webhook() as quiet:
        channels = {"ops": WebAddress(receiver.url), "desk": WebAddress(quiet.url)}
        one = site(channels, routes=(Route("ops", watchdog=True), Route("desk")))
        one.post.flush()
        assert receiver.got == []
        for _ in range(2):
            one.post.evaluated_ns = one.now
            one.post.flush()
            one.post.flush()
            one.later(DAY)
        one.post.flush()  # nothing was evaluated on this day
        assert whats(receiver) == ["watchdog", "watchdog"]
        assert quiet.got == []


def test_the_ping_stops_with_the_evaluation(site: Callable[..., Site]) -> None:  # noqa: F811
    with Webhook() as receiver:
        one = site({})
        post = type(one.post)(one.operations, {}, lambda: one.now, ping_url=f"{receiver.url}ping/abc")
        post.ping()
        post.evaluated_ns = one.now
        post.ping()
        one.later(181 * S)
        post.ping()
        assert receiver.gets == ["/ping/abc"]


@pytest.mark.parametrize(
    ("address", "secret"),
    [
        (WebAddress("https://ana:hunter22@hooks.example:444/T00/B0secret?key=k3y9"), ["hunter22", "B0secret", "k3y9"]),
        (Other("slack://TokenAAAA/TokenBBBB/#ops"), ["TokenAAAA", "TokenBBBB"]),
        (Mail("mail.example", 587, "tls", "ana", "pass%word", "p@x", ["ana@x"]), ["pass%word"]),
    ],
)
def test_no_secret_of_an_address_is_shown_or_left_in_an_error(address: object, secret: list[str]) -> None:
    channel = Channel("ops", address)  # type: ignore[arg-type]
    text = f"{getattr(address, 'url', '')} failed for {' and '.join(secret)}"
    for word in secret:
        assert word not in channel.shown
        assert word not in channel.scrub(text)


def test_routes_come_from_the_rules_and_every_pilot_is_heard_without_any(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PERISCOPE_NOTIFY__URLS__OPS", "https://hooks.example/x")
    monkeypatch.setenv("PERISCOPE_NOTIFY__URLS__NORTH", "ntfy://topic")
    settings = load_settings()
    (tmp_path / "alerts.toml").write_text(
        '[channels.north]\npilots = ["malmo"]\nseverity = "warning"\n[delivery]\nstorm_per_h = 3\n'
    )
    routes = routes_of(settings, load_alerts(tmp_path))
    assert (routes.storm_per_h, routes.repeat_days) == (3, 7)
    assert routes.hearing("malmo", "drop_off", "", "notice") == ["ops"]
    assert routes.hearing("malmo", "drop_off", "", "critical") == ["ops", "north"]
    assert routes.hearing("genoa", "drop_off", "", "critical") == ["ops"]
    assert routes.hearing("-", "channel_failing", "ops", "warning") == ["north"]
    assert sorted(channels_of(settings.notify)) == ["north", "ops"]
    (tmp_path / "alerts.toml").write_text("[channels.south]\n")
    with pytest.raises(ConfigError, match="set PERISCOPE_NOTIFY__URLS__SOUTH"):
        routes_of(settings, load_alerts(tmp_path))
    (tmp_path / "alerts.toml").write_text('[channels.ops]\nseverity = "loud"\n')
    with pytest.raises(ConfigError, match=r"channels\.ops\.severity"):
        load_alerts(tmp_path)


def _again(what: str = "opened", **more: object) -> object:
    from tests.unit.pipeline.test_operations import transition

    return transition(what, **{"since": "day 1", **more})  # type: ignore[arg-type]


def test_a_fall_of_six_weeks_is_put_up_for_review_once_also_where_somebody_looks_after_it(
    site: Callable[..., Site],  # noqa: F811
) -> None:
    with Webhook() as receiver:
        one = site({"ops": WebAddress(receiver.url)})
        one.opens()
        Care(one.operations).acknowledge(1, "ana", "calling the library", one.now)
        for _ in range(60):
            one.later(DAY)
            one.post.remind()
            one.later(10 * S)
            one.post.deliver("ops")
        [opened, review] = [body for _, body in receiver.got]
        assert (opened["what"], review["what"]) == ("opened", "review")
        assert review["reason"] == "open for 42 days; nothing is learned meanwhile"
        assert "accept it as the new normal" in review["sentence"]
