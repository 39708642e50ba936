"""A message published to the broker changes the number on an open page, without a reload."""

import json
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Browser, expect

from collectors.mqtt import MqttPublisher
from config.settings import PACKAGED_PILOTS, Mqtt
from tests.command import Running
from tests.journey import Journey, embedded
from tests.services.mosquitto import Mosquitto

HOUR = '[data-pilot="malmo"][data-stream="usage"][data-what="hour"]'


def use(event_id: str) -> bytes:
    """One core action, now."""
    data = {"core": True, "consent": "none", "synthetic": True}
    envelope = {"specversion": "1.0", "id": event_id, "source": "/pilots/malmo/app", "type": "action.performed"}
    return json.dumps(envelope | {"time": datetime.now(UTC).isoformat(), "data": data}).encode()


def test_a_published_message_changes_the_open_page_without_a_reload(
    mosquitto: Mosquitto, chromium: Browser, tmp_path: Path
) -> None:
    journey = Journey(tmp_path, mosquitto, PACKAGED_PILOTS, embedded())
    broker = MqttPublisher(Mqtt(host=mosquitto.host, port=mosquitto.port), "test-live-page")
    with journey.collecting(), Running("pipeline", cwd=tmp_path, **journey.settings), journey.serving() as address:
        with broker as publisher:
            publisher.publish("pilots/malmo/usage/app", use("first"))
            publisher.flush(20)
            page = chromium.new_page()
            try:
                page.goto(address)
                number = page.locator(HOUR)
                expect(number).to_have_attribute("data-value", "1", timeout=60_000)
                page.evaluate("window.neverReloaded = true")
                for event_id in ("second", "third"):
                    publisher.publish("pilots/malmo/usage/app", use(event_id))
                publisher.flush(20)
                expect(number).to_have_attribute("data-value", "3", timeout=30_000)
                assert page.evaluate("window.neverReloaded") is True
            finally:
                page.close()
