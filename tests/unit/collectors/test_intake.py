"""What is done to a message before it reaches the disk."""

import stat
from hashlib import sha256
from pathlib import Path

import pytest

from collectors.intake import Intake
from collectors.message import CollectorError
from collectors.pseudonym import PseudonymKeys, pseudonym
from collectors.topics import Roster
from config.catalogue import Feed
from tests.unit.collectors.places import APP, NOW_NS, action, app, catalogue, pilot


def intake(folder: Path, *feeds: Feed) -> Intake:
    return Intake(Roster(catalogue(pilot(*feeds)), "main"), PseudonymKeys(folder))


def test_an_ordinary_message_is_kept_as_it_came(tmp_path: Path) -> None:
    entry = intake(tmp_path).entry(APP.encode(), action(), NOW_NS, "application/json", True)
    assert (entry.pilot, entry.feed, entry.topic, entry.payload, entry.fault) == ("bremen", "app", APP, action(), None)
    assert (entry.content_type, entry.retained) == ("application/json", True)


def test_a_payload_too_large_keeps_its_head_its_size_and_its_hash(tmp_path: Path) -> None:
    payload = b"x" * 10_000_000
    entry = intake(tmp_path).entry(APP, payload, NOW_NS)
    assert entry.fault is not None
    assert entry.fault.code == "too_large"
    assert (len(entry.payload), entry.size, entry.digest) == (65536, 10_000_000, sha256(payload).hexdigest())


def test_a_topic_that_is_not_utf8_is_kept_readable(tmp_path: Path) -> None:
    entry = intake(tmp_path).entry(b"pilots/\xff", b"{}", NOW_NS)
    assert entry.fault is not None
    assert (entry.fault.code, entry.topic, entry.pilot) == ("topic_not_utf8", "pilots/ÿ", "unknown")


def test_a_persons_id_never_becomes_part_of_an_entry(tmp_path: Path) -> None:
    entry = intake(tmp_path, app(person_id="data.user.mail")).entry(APP, action(user={"mail": "Ada@x.org"}), NOW_NS)
    assert b"x.org" not in entry.payload.lower()
    key = PseudonymKeys(tmp_path).actor_key("bremen", "ada@X.org")
    assert key.encode() in entry.payload


@pytest.mark.parametrize(
    "payload", [b"not json but secret", action(), action(user="secret"), action(user={"mail": ""})]
)
def test_where_the_person_cannot_be_found_no_body_is_kept(tmp_path: Path, payload: bytes) -> None:
    entry = intake(tmp_path, app(person_id="data.user.mail")).entry(APP, payload, NOW_NS)
    assert entry.fault is not None
    assert (entry.payload, entry.size, entry.digest) == (b"", len(payload), sha256(payload).hexdigest())


def test_a_large_payload_of_a_feed_with_persons_keeps_no_body(tmp_path: Path) -> None:
    entry = intake(tmp_path, app(person_id="data.user")).entry(APP, b"secret" * 20_000, NOW_NS)
    assert (entry.payload, entry.size) == (b"", 120_000)


@pytest.mark.parametrize("topic", ["pilots/bremen/usage/ap", "pilots/bremne/usage/app"])
def test_a_mistyped_topic_keeps_no_body_where_a_feed_names_persons(tmp_path: Path, topic: str) -> None:
    payload = action(user="secret")
    entry = intake(tmp_path, app(person_id="data.user")).entry(topic, payload, NOW_NS)
    assert (entry.payload, entry.size, entry.digest) == (b"", len(payload), sha256(payload).hexdigest())
    assert intake(tmp_path, app()).entry(topic, payload, NOW_NS).payload == payload


def test_pseudonyms_are_stable_and_differ_between_pilots(tmp_path: Path) -> None:
    keys = PseudonymKeys(tmp_path)
    assert keys.actor_key("bremen", "7") == PseudonymKeys(tmp_path).actor_key("bremen", "7")
    assert keys.actor_key("bremen", "7") != keys.actor_key("malmo", "7")
    assert len(keys.actor_key("bremen", "7")) == 28


def test_a_key_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    PseudonymKeys(tmp_path / "keys").actor_key("bremen", "7")
    (file,) = (tmp_path / "keys").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(file.read_bytes()) == 32


def test_a_broken_key_is_told_and_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "bremen.k1.key").write_bytes(b"short")
    with pytest.raises(CollectorError, match=r"bremen\.k1\.key: .*shorter than 16 bytes"):
        PseudonymKeys(tmp_path).actor_key("bremen", "7")


def test_a_pseudonym_is_the_hmac_that_the_design_names() -> None:
    # By hand: base32(HMAC-SHA-256(32 times "0", "v1|bremen|ada")), first 26 letters.
    assert pseudonym(b"0" * 32, "bremen", "Ada") == "k1" + _by_openssl()


def _by_openssl() -> str:
    import base64
    import hashlib

    key, text = b"0" * 32, b"v1|bremen|ada"
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in key.ljust(64, b"\0")) + text).digest()
    outer = hashlib.sha256(bytes(b ^ 0x5C for b in key.ljust(64, b"\0")) + inner).digest()
    return base64.b32encode(outer).decode()[:26]
