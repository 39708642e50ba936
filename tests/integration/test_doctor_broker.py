"""Each finding of doctor about the broker, with the fault made for real on a Mosquitto."""

import subprocess
import time
from pathlib import Path

import pytest

from collectors.doctor import broker as broker_checks
from collectors.doctor import queue
from collectors.doctor.broker import Listening
from collectors.doctor.finding import Finding
from collectors.message import BrokerAway, BrokerRefused
from collectors.mqtt import MqttPublisher
from collectors.scratch import Scratch, forget
from config.settings import Mqtt, Settings
from tests.integration.doctor_site import broker, mqtt, only, tls_broker, users
from tests.services.mosquitto import Mosquitto
from tests.services.process import free_port, wait_until
from tests.unit.collectors.places import APP, action, catalogue

DYNAMIC_SECURITY = Path("/usr/lib/x86_64-linux-gnu/mosquitto_dynamic_security.so")
DEPLOY = Path(__file__).parents[2] / "deploy/mosquitto"


def settings(address: Mqtt) -> Settings:
    return Settings(_env_file=None, mqtt=address)


def listened(address: Mqtt) -> tuple[list[Finding], list[Finding]]:
    """What is found on one connection: of itself and of what is granted and retained."""
    with Listening(settings(address), catalogue(), time.time_ns) as listening:
        return list(listening.connection()), [listening.retained(), *listening.granted()]


def refusal(address: Mqtt) -> Finding:
    with pytest.raises((BrokerAway, BrokerRefused)) as refused, Listening(settings(address), catalogue(), time.time_ns):
        pass
    return broker_checks.refused(refused.value)


def probed(address: Mqtt, batch: int = 200) -> list[Finding]:
    return queue.findings(queue.probe(address), address, batch, None)


# What holds for a broker configured as deploy does it


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_sound_broker_gets_no_complaint(mosquitto: Mosquitto, protocol: str) -> None:
    address = mqtt(mosquitto, protocol=protocol)
    with MqttPublisher(address) as publisher:
        publisher.publish(APP, action("e-1"), retain=True)
    connection, granted = listened(address)
    assert {(f.code, f.level) for f in [*connection, *granted, *probed(address)]} == {
        (code, "ok")
        for code in ("broker", "login", "certificate", "retained", "subscriptions", "queue", "message-size")
    }


def test_the_probe_leaves_no_session_behind(mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"probe-{number}" for number in range(8)]
    left = iter(names)
    monkeypatch.setattr(queue, "fresh_name", lambda: next(left))
    assert queue.probe(mqtt(mosquitto), 10).back == 10
    assert next(left) != names[1]  # names were taken
    for name in names:
        with Scratch(mqtt(mosquitto), name, keep=True) as scratch:
            assert not scratch.session_present, name
    with Scratch(mqtt(mosquitto), names[0], keep=True) as scratch:
        assert scratch.session_present
    forget(mqtt(mosquitto), names[0])
    with Scratch(mqtt(mosquitto), names[0], keep=True) as scratch:
        assert not scratch.session_present


# Connection


def test_a_broker_that_is_not_there(tmp_path: Path) -> None:
    found = refusal(Mqtt(port=free_port()))
    assert (found.level, found.code) == ("problem", "broker")
    assert "nothing listens there" in found.what
    assert "PERISCOPE_MQTT__HOST" in found.remedy


def test_a_wrong_password_and_an_unknown_user(tmp_path: Path) -> None:
    with broker(tmp_path, users(tmp_path / "access", "topic readwrite #\n", doctor="right")) as service:
        for name, word in (("doctor", "wrong"), ("nobody", "right")):
            found = refusal(mqtt(service, username=name, password=word))
            assert (found.level, found.code) == ("problem", "login")
            assert f'"{name}"' in found.what
            assert "PERISCOPE_MQTT__PASSWORD" in found.remedy
        assert only(listened(mqtt(service, username="doctor", password="right"))[0], "login").level == "ok"


@pytest.mark.parametrize(("days", "level"), [(5, "problem"), (200, "ok")])
def test_a_certificate_that_ends_soon(tmp_path: Path, days: float, level: str) -> None:
    with tls_broker(tmp_path, days) as address:
        found = only(listened(address)[0], "certificate")
    assert found.level == level
    assert f"{days} days" in found.what or f"{days} more days" in found.what
    assert level == "ok" or "renew it" in found.remedy


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # paho leaves that socket open
def test_a_certificate_that_ended(tmp_path: Path) -> None:
    with tls_broker(tmp_path, -1) as address:
        found = refusal(address)
    assert (found.level, found.code) == ("problem", "certificate")
    assert "expired" in found.what
    assert "renew" in found.remedy


def test_a_broker_elsewhere_without_tls() -> None:
    found = broker_checks._certificate(Mqtt(host="broker.example"), None, 0)
    assert (found.level, found.code) == ("warn", "certificate")
    assert "PERISCOPE_MQTT__CA" in found.remedy


# What is granted


def test_topics_that_are_granted_with_qos_0_only(tmp_path: Path) -> None:
    with broker(tmp_path, ("allow_anonymous true", "allow_anonymous true\nmax_qos 0")) as service:
        found = [f for f in listened(mqtt(service))[1] if f.code == "subscriptions"]
    assert {f.level for f in found} == {"problem"}
    assert any("pilots/# is granted with QoS 0 only" in f.what for f in found)
    assert "max_qos" in found[0].remedy


def test_topics_that_are_denied(tmp_path: Path) -> None:
    if not DYNAMIC_SECURITY.exists():
        pytest.skip("needs Mosquitto's dynamic security plugin, which denies in its answer")
    control = tmp_path / "dynamic.json"
    subprocess.run(["mosquitto_ctrl", "dynsec", "init", control, "admin", "secret"], check=True, capture_output=True)
    plugin = f"allow_anonymous false\nplugin {DYNAMIC_SECURITY}\nplugin_opt_config_file {control}"
    with broker(tmp_path, ("allow_anonymous true", plugin)) as service:
        ask = ["mosquitto_ctrl", "-h", service.host, "-p", str(service.port), "-u", "admin", "-P", "secret", "dynsec"]
        subprocess.run([*ask, "createClient", "doctor", "-p", "d"], check=True, capture_output=True)
        address = mqtt(service, username="doctor", password="d")
        found = [one for one in listened(address)[1] if one.level == "problem"]
    assert any("pilots/# is denied (Not authorized)" in one.what for one in found)
    assert 'user "doctor" read' in found[0].remedy


def test_topics_that_an_access_list_grants_and_withholds(tmp_path: Path) -> None:
    acl = "user blind\ntopic read $SYS/#\n\nuser pilot\ntopic write pilots/#\n"
    with broker(tmp_path, users(tmp_path / "access", acl, blind="b", pilot="p")) as service:
        with MqttPublisher(mqtt(service, username="pilot", password="p")) as publisher:
            publisher.publish(APP, action("e-1"), retain=True)
        found = only(listened(mqtt(service, username="blind", password="b"))[1], "subscriptions")
        assert found.level == "unknown"
        assert 'user "blind" read their topics' in found.remedy
        for protocol in ("5", "3.1.1"):
            (measured,) = probed(mqtt(service, username="blind", password="b", protocol=protocol))
            assert (measured.level, measured.code) == ("unknown", "queue")
            assert "deploy/mosquitto/acl" in measured.remedy


def test_the_doctors_own_user_of_deploy_may_probe(tmp_path: Path) -> None:
    acl = (DEPLOY / "acl").read_text()
    with broker(tmp_path, users(tmp_path / "access", acl, doctor="d")) as service:
        address = mqtt(service, username="doctor", password="d")
        assert only(probed(address), "queue").level == "ok"
        with Listening(settings(address), catalogue(), time.time_ns) as listening:
            assert listening.uptime_s() is not None


# Limits


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_queue_that_drops_what_it_acknowledged(tmp_path: Path, protocol: str) -> None:
    with broker(tmp_path, ("max_queued_messages 2000000", "max_queued_messages 1000")) as service:
        found = only(probed(mqtt(service, protocol=protocol)), "queue")
    assert found.level == "problem"
    assert "of 2000 messages" in found.what
    assert "max_queued_messages" in found.remedy


def test_a_broker_that_keeps_no_queue(tmp_path: Path) -> None:
    with broker(tmp_path, ("max_queued_messages 2000000", "max_queued_messages 1\nmax_queued_bytes 1")) as service:
        found = only(probed(mqtt(service)), "queue")
    assert found.level == "problem"


def test_a_broker_that_forgets_the_session_is_not_blamed_for_its_sizes() -> None:
    """As amqtt does; the measurement as it was seen there."""
    (found,) = queue.findings(queue.Probed(2000, 0, 0, False), Mqtt(), 200, None)
    assert (found.level, found.code) == ("problem", "queue")
    assert "keep sessions and queues" in found.remedy


def test_a_window_that_is_smaller_than_a_commit(tmp_path: Path) -> None:
    found = broker_checks.window(Settings(_env_file=None, spool={"batch": 800}))
    assert found.level == "warn"
    assert "PERISCOPE_SPOOL__BATCH" in found.remedy
    with broker(tmp_path, ("max_inflight_messages 500", "max_inflight_messages 20")) as service:
        found = only(probed(mqtt(service, protocol="3.1.1")), "window")
        assert found.level == "warn"
        assert "sends 20 messages and waits" in found.what
        assert "max_inflight_messages" in found.remedy


@pytest.mark.parametrize(
    ("line", "protocol"),
    [("message_size_limit 1000", "5"), ("message_size_limit 1000", "3.1.1"), ("max_packet_size 2000", "5")],
)
def test_a_broker_that_takes_small_messages_only(tmp_path: Path, line: str, protocol: str) -> None:
    key = line.split()[0]
    with Mosquitto(tmp_path / "plain").config.open() as file:
        (default,) = [one.strip() for one in file if one.startswith(key)]
    with broker(tmp_path, (default, line)) as service:
        found = only(probed(mqtt(service, protocol=protocol)), "message-size")
    assert found.level == "warn"
    assert "65536 bytes does not go through" in found.what
    assert "message_size_limit" in found.remedy


def test_a_flood_of_retained_messages(mosquitto: Mosquitto) -> None:
    with MqttPublisher(mqtt(mosquitto)) as publisher:
        for number in range(1200):
            publisher.publish(f"pilots/bremen/sensor/air/{number}", b"{}", retain=True)
    found = only(listened(mqtt(mosquitto))[1], "retained")
    assert found.level == "warn"
    assert "1200 retained messages" in found.what
    assert "empty retained" in found.remedy


def test_a_broker_that_drops_messages(tmp_path: Path) -> None:
    with broker(
        tmp_path, ("max_queued_messages 2000000", "max_queued_messages 10"), ("sys_interval 5", "sys_interval 1")
    ) as service:
        address = mqtt(service)
        with Scratch(address, "away", keep=True) as scratch:
            scratch.subscribe(["slow"])
        with MqttPublisher(address) as publisher:
            for _ in range(50):
                publisher.publish("slow", b"x")
        with Listening(settings(address), catalogue(), time.time_ns) as listening:
            wait_until(lambda: bool(listening.dropped()), 20, "the broker's own count")
        with Listening(settings(address), catalogue(), time.time_ns) as listening:
            found = listening.drops(0)
            assert (found.level, found.code) == ("warn", "broker-drops")
            assert "max_queued_messages" in found.remedy
        with Listening(settings(address), catalogue(), time.time_ns) as listening:
            wait_until(lambda: listening.dropped() is not None, 20, "the broker's own count")
            with MqttPublisher(address) as publisher:
                for _ in range(50):
                    publisher.publish("slow", b"x")
            before = listening.dropped()
            wait_until(lambda: listening.dropped() != before, 20, "the broker's own count")
            assert listening.drops(0).level == "problem"
            assert listening.drops(50).level == "warn"


def test_a_broker_that_does_not_tell_its_numbers(tmp_path: Path) -> None:
    acl = "user doctor\ntopic read pilots/#\n"
    with broker(tmp_path, users(tmp_path / "access", acl, doctor="d")) as service:
        with Listening(
            settings(mqtt(service, username="doctor", password="d")), catalogue(), time.time_ns
        ) as listening:
            found = listening.drops(0)
    assert found.level == "unknown"
    assert "$SYS" in found.remedy
