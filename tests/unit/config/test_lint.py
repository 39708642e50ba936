"""Each finding of lint is seen when its fault is made, and not otherwise."""

from pathlib import Path

import pytest

from config.catalogue import load_catalogue
from config.lint import Finding, lint
from config.lint_topics import overlap

CLEAN = """
slug = "lund"
name = "Lund"
country = "SE"
time_zone = "Europe/Stockholm"

[[denominators]]
kind = "inhabitants"
value = 90000
year = 2025
source = "national statistics"

[[feeds]]
id = "app"
topic = "pilots/lund/usage/app"
stream = "usage"
heartbeat_every = "1m"

[[feeds]]
id = "air"
topic = "pilots/lund/sensor/air"
stream = "sensor"
decoder = "flat_json"
expect_every = "15m"
devices = ["one"]
map = { device = "d", time = "t", values = { pm10 = { quantity = "pm10", unit = "ug/m3" } } }
"""


def findings(folder: Path, text: str) -> list[Finding]:
    (folder / "lund.toml").write_text(text)
    return lint(load_catalogue(folder), ["people"])


def test_a_clean_pilot_has_no_finding(tmp_path: Path) -> None:
    assert findings(tmp_path, CLEAN) == []


@pytest.mark.parametrize(
    ("old", "new", "level", "said"),
    [
        ("usage/app", "sensor/air", "error", "also matches messages of lund's feed app"),
        ("pilots/lund/usage/app", "pilots/lund/#", "error", "also matches messages of lund's feed app"),
        ("pilots/lund/usage", "pilots/ystad/usage", "error", "belongs to pilot ystad"),
        ("value = 90000\n", 'value = "unknown"\n', "warning", "holds no known value"),
        ('heartbeat_every = "1m"\n', "", "warning", "no expected interval and no heartbeat"),
        ('devices = ["one"]\n', "", "warning", "a device that never sends is not missed"),
        ('time = "t", ', "", "error", "map.time are both missing"),
        ('time = "t", ', 'id = "i", ', "warning", "map.time: is missing"),
        ('stream = "usage"\n', 'stream = "usage"\nperson_id = "user"\n', "error", 'consent is not "cohort"'),
        ("values = { pm10", "values = { email", "error", "looks like personal data"),
        ('quantity = "pm10"', 'quantity = "dust"', "warning", "is not in the registry"),
        ('"ug/m3"', '"parsec"', "error", 'the unit "parsec" of pm10 is not known'),
        ('"ug/m3"', '"lx"', "error", 'cannot be converted to "ug/m3"'),
        ('slug = "lund"\n', 'slug = "lund"\n# token = "abcdef"\n', "error", "looks like a secret in clear"),
        ('stream = "usage"\n', 'stream = "usage"\nsynthetic = true\n', "warning", "although a feed is simulated"),
    ],
)
def test_each_fault_is_found(tmp_path: Path, old: str, new: str, level: str, said: str) -> None:
    assert old in CLEAN
    found = findings(tmp_path, CLEAN.replace(old, new, 1))
    assert any(finding.level == level and said in str(finding) for finding in found), [str(f) for f in found]


@pytest.mark.parametrize(
    ("addition", "said"),
    [
        (
            '[[targets]]\nindicator = "joy"\ndirection = "up"\ndeclared = 2026-01-01\nby = 2026-02-01',
            "names the unknown",
        ),
        ('[[targets]]\nindicator = "people"\ndirection = "up"\ndeclared = 2026-02-01\nby = 2026-01-01', "ends before"),
        (
            '[[limits]]\nquantity = "pm10"\nunit = "mg/m3"\nabove = 1\nsource = "x"',
            "in mg/m3 (its readings are stored in ug/m3)",
        ),
        (
            '[[limits]]\nquantity = "noise"\nunit = "dB(A)"\nabove = 1\nsource = "x"',
            "use the quantity and unit of a feed",
        ),
    ],
)
def test_targets_and_limits_name_what_exists(tmp_path: Path, addition: str, said: str) -> None:
    assert any(said in str(finding) for finding in findings(tmp_path, f"{CLEAN}\n{addition}\n"))


def test_a_secret_is_found_without_being_repeated(tmp_path: Path) -> None:
    found = findings(tmp_path, CLEAN.replace('slug = "lund"', 'slug = "lund"\n# mqtt://city:hunter2@broker'))
    assert found
    assert "hunter2" not in "".join(map(str, found))


def test_errors_come_first(tmp_path: Path) -> None:
    text = CLEAN.replace('heartbeat_every = "1m"\n', "").replace("pilots/lund/usage", "pilots/ystad/usage")
    assert [finding.level for finding in findings(tmp_path, text)] == ["error", "warning"]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/c", False),
        ("a/+", "a/b", True),
        ("a/+", "a/b/c", False),
        ("a/#", "a/b/c", True),
        ("a/#", "a", True),
        ("#", "a/b", True),
        ("+/b", "a/+", True),
        ("a/b/#", "a/c", False),
    ],
)
def test_two_filters_overlap_when_one_topic_matches_both(one: str, other: str, expected: bool) -> None:
    assert overlap(one, other) is expected
    assert overlap(other, one) is expected


@pytest.mark.parametrize(
    ("topic", "said"),
    [
        ("pilots/+/usage/app", "also takes the messages of ystad"),
        ("pilots/#", "also takes the messages of ystad"),
        ("#", "also takes periscope/#, where Periscope and the broker talk"),
        ("+/ops/#", "also takes periscope/#"),
        ("$SYS/broker/uptime", "also takes $SYS/#"),
        ("$share/group/pilots/lund/usage/app", "is a shared subscription"),
        ("pilots/lund/#/app", "has # before its end"),
        ("pilots/lund/usage+", "has + or # beside other signs"),
        ("zigbee2mqtt/+", None),
        ("v3/app@tenant/devices/+/up", None),
    ],
)
def test_topics_that_no_feed_can_have(tmp_path: Path, topic: str, said: str | None) -> None:
    (tmp_path / "ystad.toml").write_text(CLEAN.replace("lund", "ystad").replace("Lund", "Ystad"))
    found = findings(tmp_path, CLEAN.replace("pilots/lund/usage/app", topic))
    told = [str(one) for one in found if one.level == "error" and one.key == "feeds.app.topic"]
    assert any(said in one for one in told) if said is not None else not told, told


def test_a_topic_of_a_preset_that_two_pilots_use(tmp_path: Path) -> None:
    feed = """
[[feeds]]
id = "hall"
topic = "zigbee2mqtt/{}"
stream = "sensor"
preset = "zigbee2mqtt"
expect_every = "1h"
devices = ["hall"]
"""
    (tmp_path / "ystad.toml").write_text(CLEAN.replace("lund", "ystad") + feed.format("+"))
    found = findings(tmp_path, CLEAN + feed.format("hall"))
    assert any("also matches messages of lund's feed hall" in str(one) for one in found)


def test_a_finding_names_the_line(tmp_path: Path) -> None:
    text = CLEAN.replace("pilots/lund/sensor/air", "pilots/ystad/sensor/air").replace('devices = ["one"]\n', "")
    lines = text.splitlines()
    by_key = {one.key: one for one in findings(tmp_path, text)}
    topic = by_key["feeds.air.topic"]
    assert lines[topic.line - 1] == 'topic = "pilots/ystad/sensor/air"'
    assert str(topic).startswith(f"error: lund.toml:{topic.line}: feeds.air.topic: ")
    # A key that is missing is told at the beginning of its feed.
    assert by_key["feeds.air.devices"].line == lines.index("[[feeds]]", lines.index("[[feeds]]") + 1) + 1
    secret = findings(tmp_path, "# token = 'x'\n" + CLEAN)
    assert [one.line for one in secret if one.key == "line 1"] == [1]
