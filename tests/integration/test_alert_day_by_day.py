"""Months of two simulated cities, told day by day through decoders, store, pipeline and delivery: one public loses
interest and comes back, the other city's feed breaks."""

import email
import email.policy
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from collectors.clock_rules import Window
from collectors.ingest import Ingest
from collectors.message import RawMessage
from collectors.simulator import Simulated
from collectors.simulator.history import of_day
from collectors.simulator.truth import TRUTH, DropOff, Outage
from collectors.simulator.world import City, build
from collectors.topics import Roster
from config.alerts import load_alerts
from config.catalogue import Pilot, load_catalogue
from config.settings import PACKAGED_PILOTS, Settings
from pipeline.alerts.care import Care
from pipeline.alerts.drop_off import explanation_of
from pipeline.delivery.channels import channels_of, routes_of
from pipeline.delivery.post import Post
from pipeline.model import Touch
from pipeline.operations import Operations
from pipeline.periods import day_of
from pipeline.run import Pipeline
from pipeline.store.port import Store
from pipeline.store.sqlite import SQLiteStore
from tests.receivers import MailServer, Webhook
from tests.unit.pipeline.making import Clock, catalogue

FIRST, LAST = date(2025, 7, 21), date(2025, 11, 5)
WATCHED = date(2025, 9, 30)  # from this evening on the pipeline looks every day
ONSET, RETURN, BROKEN = date(2025, 10, 1), date(2025, 10, 13), date(2025, 10, 10)
FALLING, BREAKING, GROUP = "athens", "genoa", "citizen"


def evening(day: date) -> int:
    """Half an hour after a day has ended in Italy, and an hour and a half in Greece, in ns."""
    local = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo("Europe/Rome")) + timedelta(days=1, minutes=30)
    return int(local.timestamp()) * 10**9


def only_voices(pilot: Pilot) -> Pilot:
    """A pilot with its engagement feed alone, which is heard hourly."""
    [feed] = [one for one in pilot.feeds if one.id == "participation"]
    return pilot.model_copy(update={"feeds": [feed.model_copy(update={"heartbeat_every": timedelta(hours=1)})]})


class Cities:
    """Both cities and the installation that watches them; `deliver` brings their messages into `store`."""

    def __init__(self, operations: Operations, settings: Settings, store: Store) -> None:
        known = load_catalogue(PACKAGED_PILOTS).pilots
        self.catalogue = catalogue(*(only_voices(known[slug]) for slug in (FALLING, BREAKING)), k=5)
        now_ns = evening(LAST)
        fall = DropOff(FALLING, "engagement", (LAST - ONSET).days + 1, 0.05, (RETURN - ONSET).days, GROUP)
        outage = Outage(BREAKING, "engagement", (LAST - BROKEN).days * 24)
        self.cities = build(self.catalogue, 8, now_ns, replace(TRUTH, drop_off=fall, outage=outage))
        self.clock, self.operations = Clock(f"{FIRST}T00:00:00"), operations
        self.store, self.seq = store, 0
        self.ingest = Ingest(Roster(self.catalogue, "main"), Window())
        self.post = Post(operations, channels_of(settings.notify), self.clock)
        self.running = Pipeline(self.store, self.catalogue, operations, settings.pipeline, self.clock, self.post)

    def live(self, first: date, last: date) -> None:
        """Days pass, and what their feeds said is stored."""
        self.clock.ns = evening(last)
        for number in range(first.toordinal(), last.toordinal() + 1):
            for city in self.cities:
                self.deliver(city, of_day(city, number, self.clock.ns))

    def deliver(self, city: City, messages: Sequence[Simulated]) -> None:
        events = []
        for message in messages:
            judged = self.ingest.judge(
                RawMessage(topic=message.topic, payload=message.payload, received_ns=message.time_ns + 10**9)
            )
            assert judged.fault is None, judged.fault
            events += judged.events
        self.store.write(events)
        self.seq += 1
        days = {day_of(one.time_ns, city.pilot.zone) for one in events}
        self.store.touch([Touch(pilot=city.pilot.slug, day=day, seq=self.seq) for day in sorted(days)])

    def look(self) -> None:
        """The pipeline evaluates what came, and what it found is delivered."""
        for _ in range(1000):
            if not self.running.step(hurry=True):
                break
        else:
            raise AssertionError("the pipeline never came to an end")
        self.post.flush()


@pytest.fixture
def receivers() -> Iterator[tuple[Webhook, MailServer]]:
    with Webhook() as webhook, MailServer() as mail:
        yield webhook, mail


def test_a_public_that_loses_interest_is_told_and_a_broken_feed_is_only_that(
    receivers: tuple[Webhook, MailServer],
) -> None:
    webhook, mail = receivers
    settings = Settings(
        _env_file=None, notify={"webhook_url": webhook.url, "smtp_host": "127.0.0.1", "smtp_port": mail.port,
                                "mail_to": ["ana@example.org"]},
    )  # fmt: skip
    with closing(Operations(":memory:", routes_of(settings, load_alerts()))) as operations:
        check(Cities(operations, settings, SQLiteStore(":memory:")), operations, webhook, mail)


def check(cities: Cities, operations: Operations, webhook: Webhook, mail: MailServer) -> None:
    """Play the months and look at what was recorded and told."""
    cities.live(FIRST, WATCHED)
    cities.look()
    assert operations.incidents([FALLING, BREAKING]) == []
    day = WATCHED
    while day < LAST and not is_over(operations, FALLING):
        day += timedelta(days=1)
        cities.live(day, day)
        cities.look()
        look_after(operations, cities.clock.ns)
    fallen, broken = operations.incidents([FALLING]), operations.incidents([BREAKING])
    [first] = [one for one in fallen if one.series == "contributions"]
    why = explanation_of(operations.opened_with(first.id))
    assert {one.kind for one in fallen} == {"drop_off"}
    assert ONSET <= date.fromisoformat(first.since) <= ONSET + timedelta(days=7)
    group = max((part for part in why.parts if part.dim == "group"), key=lambda part: part.share)
    assert (group.name, group.share > 0.8) == (GROUP, True)
    assert first.closed_ns is not None
    assert [(one.kind, one.series, one.closed_ns) for one in broken] == [("feed_silent", "participation", None)]

    told = [(body["what"], body["incident"]["pilot"], body["incident"]["series"]) for _, body in webhook.got]
    assert [one for one in told if one[0] != "reminder"] == [
        ("opened", FALLING, "contributions"), ("opened", BREAKING, "participation"),
        ("closed", FALLING, "contributions"),
    ]  # fmt: skip
    opened = webhook.got[0][1]
    assert f"By group: {GROUP} -" in opened["sentence"]
    assert opened["link"].endswith(f"/alerts?incident={first.id}")
    letters = [email.message_from_bytes(one, policy=email.policy.default) for one in mail.got]
    assert [one["Message-ID"].split("@")[0].strip("<") for one in letters] == webhook.keys
    assert f"By group: {GROUP} -" in " ".join(letters[0].get_content().split())


def is_over(operations: Operations, pilot: str) -> bool:
    return any(one.series == "contributions" and one.closed_ns is not None for one in operations.incidents([pilot]))


def look_after(operations: Operations, now_ns: int) -> None:
    """Somebody takes over the broken feed, so that nobody is reminded of it every day."""
    care = Care(operations)
    for one in operations.incidents([BREAKING], open_only=True):
        if care.acknowledged(one.id, now_ns) is None:
            care.acknowledge(one.id, "ana", "the provider mends it", now_ns)
