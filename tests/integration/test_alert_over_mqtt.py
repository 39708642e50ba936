"""The same two cities through a real broker and a real collector: what is told is what happened to them.

Time is that of the payloads: a day's messages are published, the collector stores them, and the pipeline looks at the
evening of that day.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from collectors.mqtt import MqttPublisher
from collectors.simulator import Simulated
from collectors.simulator.world import City
from config.alerts import load_alerts
from config.settings import PACKAGED_PILOTS, Mqtt, Settings
from pipeline.delivery.channels import routes_of
from pipeline.operations import Operations
from pipeline.store.sqlite import SQLiteStore
from tests.command import Running
from tests.integration.test_alert_day_by_day import BREAKING, FALLING, Cities, check
from tests.journey import Journey, embedded
from tests.receivers import MailServer, Webhook
from tests.services.mosquitto import Mosquitto


class Published(Cities):
    """Cities whose messages go by MQTT; a day has arrived once the collector's ledger knows each message's fate."""

    def __init__(
        self, operations: Operations, settings: Settings, journey: Journey, publisher: MqttPublisher, collector: Running
    ) -> None:
        super().__init__(operations, settings, SQLiteStore(journey.state / "store", mode="derived"))
        self.journey, self.publisher, self.collector, self.sent = journey, publisher, collector, 0

    def deliver(self, city: City, messages: Sequence[Simulated]) -> None:
        for message in messages:
            self.publisher.publish(message.topic, message.payload)
        self.publisher.flush(60)
        self.sent += len(messages)

    def look(self) -> None:
        fates = self.journey.settled(self.collector, self.sent)
        assert fates["dead"] == fates["dropped"] == 0, fates
        super().look()


@pytest.fixture
def receivers() -> Iterator[tuple[Webhook, MailServer]]:
    with Webhook() as webhook, MailServer() as mail:
        yield webhook, mail


def test_a_fall_and_an_outage_that_came_by_mqtt_are_told_for_what_they_are(
    mosquitto: Mosquitto, receivers: tuple[Webhook, MailServer], tmp_path: Path
) -> None:
    webhook, mail = receivers
    folder = tmp_path / "pilots"
    folder.mkdir()
    for name in (FALLING, BREAKING):
        told = (PACKAGED_PILOTS / f"{name}.toml").read_text(encoding="utf-8")
        (folder / f"{name}.toml").write_text(told, encoding="utf-8")
    journey = Journey(tmp_path, mosquitto, folder, embedded())
    settings = Settings(
        _env_file=None, notify={"webhook_url": webhook.url, "smtp_host": "127.0.0.1", "smtp_port": mail.port,
                                "mail_to": ["ana@example.org"]},
    )  # fmt: skip
    with (
        journey.collecting() as collector,
        MqttPublisher(Mqtt(host=mosquitto.host, port=mosquitto.port), "cities") as publisher,
        closing(Operations(":memory:", routes_of(settings, load_alerts()))) as operations,
    ):
        check(Published(operations, settings, journey, publisher, collector), operations, webhook, mail)
