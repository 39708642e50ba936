"""The services that every other test relies on."""

import pytest
from paho.mqtt import publish, subscribe
from playwright.sync_api import Browser

from tests.services import missing, process
from tests.services.influxdb import Influx
from tests.services.mosquitto import Mosquitto


def test_the_broker_carries_a_message_and_keeps_its_port_over_a_restart(mosquitto: Mosquitto) -> None:
    host, port = mosquitto.host, mosquitto.port
    publish.single("pilots/bremen/usage/app", b"1", qos=1, retain=True, hostname=host, port=port)
    mosquitto.stop()
    assert not process.listens(mosquitto.port)
    mosquitto.start()
    received = subscribe.simple("pilots/#", qos=1, hostname=host, port=port)
    assert received.payload == b"1"


def test_a_killed_broker_leaves_no_process(mosquitto: Mosquitto) -> None:
    mosquitto.kill()
    assert not mosquitto.running
    assert not process.listens(mosquitto.port)


def retention_of(influx: Influx, bucket: str) -> int:
    return int(influx.bucket(bucket)["retentionRules"][0]["everySeconds"])


def test_fresh_buckets_are_empty_and_apart(influx: Influx) -> None:
    first, second = influx.fresh_buckets(), influx.fresh_buckets(retention_s=7200)
    assert len({*first, *second}) == 4
    assert retention_of(influx, second[0]) == 7200
    assert retention_of(influx, first[0]) == 0


def test_influx_keeps_its_buckets_over_a_stop(influx: Influx) -> None:
    raw, _ = influx.fresh_buckets()
    influx.stop()
    influx.start()
    assert retention_of(influx, raw) == 0


def test_the_browser_renders_a_page(chromium: Browser) -> None:
    with chromium.new_context() as context:
        page = context.new_page()
        page.set_content("<h1>Periscope</h1>")
        assert page.inner_text("h1") == "Periscope"


def test_a_missing_service_skips_and_fails_where_services_are_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PERISCOPE_REQUIRE_SERVICES", raising=False)
    with pytest.raises(pytest.skip.Exception, match="make services"):
        missing("Mosquitto")
    monkeypatch.setenv("PERISCOPE_REQUIRE_SERVICES", "1")
    with pytest.raises(pytest.fail.Exception, match="make services"):
        missing("Mosquitto")
