"""Lines of keys, in the ways that pilots' files are written."""

import pytest

from config.toml_lines import Lines

TEXT = """\
slug = "lund" # the name
[calendar]
holidays = "SE"

[[feeds]]   # first
topic = "one"
id = "app"

[[feeds]]
id = "air"
topic = "two"

[feeds.map]
time = "t"

[feeds.map.values.pm10]
unit = "ug/m3"

[[limits]]
quantity = "pm10"
"""


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("slug", 1), ("calendar.holidays", 3), ("calendar.closures", 2), ("feeds.app", 5), ("feeds.app.topic", 6),
        ("feeds.air.topic", 11), ("feeds.air.map.time", 14), ("feeds.air.map.values.pm10", 16),
        ("feeds.air.map.values.pm10.unit", 17), ("feeds.air.map.id", 13), ("feeds.app.map", 5),
        ("feeds.nobody.topic", 0), ("limits.pm10", 19), ("nothing", 0), ("line 7", 7),
    ],
)  # fmt: skip
def test_where_a_key_stands(key: str, line: int) -> None:
    assert Lines(TEXT).of(key) == line
