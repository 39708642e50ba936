"""Presets: what a feed gets from one, and that the feed's own words win."""

import pytest
from pydantic import ValidationError

from config.catalogue import Feed
from config.presets import names

VALUE = {"result": {"quantity": "temperature", "unit": "Cel"}}


def _feed(**more: object) -> Feed:
    return Feed.model_validate({"id": "f", "topic": "a/b", "stream": "sensor", **more})


@pytest.mark.parametrize("preset", names())
def test_every_preset_makes_a_whole_feed(preset: str) -> None:
    feed = _feed(preset=preset, map={"values": VALUE})
    assert feed.decoder == "flat_json"
    assert feed.map is not None
    assert "result" in feed.map.values


def test_a_feeds_own_fields_win_over_its_preset() -> None:
    own = {"temperature": {"quantity": "temperature-hall", "unit": "Cel"}}
    feed = _feed(preset="zigbee2mqtt", map={"time": "last_seen", "values": own})
    assert feed.map is not None
    assert (feed.map.time, feed.map.device_level) == ("last_seen", 1)
    assert feed.map.values["temperature"].quantity == "temperature-hall"
    assert feed.map.values["humidity"].quantity == "humidity"


def test_an_unknown_preset_is_told_with_those_there_are() -> None:
    with pytest.raises(ValidationError, match="choose from sensorthings, tasmota, zigbee2mqtt"):
        _feed(preset="zigbee")


@pytest.mark.parametrize("wrong", [{"map": "x"}, {"map": {"values": "x"}}, {"preset": ["zigbee2mqtt"]}])
def test_a_feed_of_wrong_shape_is_refused_like_without_a_preset(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        _feed(**{"preset": "zigbee2mqtt", **wrong})
