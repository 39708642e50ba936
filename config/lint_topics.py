"""What is wrong with feeds' topics: filters that no broker takes, that take others' messages, or our own."""

from collections.abc import Iterator

from config.catalogue import Catalogue, Feed, Pilot

# Where collectors talk with pages, and doctor with the broker; and what the broker says of itself.
_OURS = ("periscope/#", "$SYS/#")


def overlap(one: str, other: str) -> bool:
    """Whether one topic can match both MQTT filters.

    >>> overlap("pilots/+/usage/#", "pilots/genoa/usage/app"), overlap("a/+", "a/b/c"), overlap("a/#", "a")
    (True, False, True)
    """
    left, right = one.split("/"), other.split("/")
    for number, (a, b) in enumerate(zip(left, right, strict=False)):
        # A wildcard on the first level takes no topic that begins with $ (MQTT 5, 4.7.2).
        if number == 0 and a != b and (a + b).count("$") and {a, b} & {"#", "+"}:
            return False
        if a == "#" or b == "#":
            return True
        if a != b and a != "+" and b != "+":
            return False
    # "a/#" also matches "a" itself.
    rest = left[len(right) :] or right[len(left) :]
    return rest in ([], ["#"])


def wrong_filter(topic: str) -> str:
    """Why no broker takes a filter (MQTT 5, 4.7), empty when it is one.

    >>> wrong_filter("a/#/b"), wrong_filter("a/b+/c"), wrong_filter("a/+/#")
    ('has # before its end', 'has + or # beside other signs of a level', '')
    """
    levels = topic.split("/")
    if "#" in levels[:-1]:
        return "has # before its end"
    if any(("+" in level or "#" in level) and len(level) > 1 for level in levels):
        return "has + or # beside other signs of a level"
    if "\0" in topic or len(topic.encode()) > 65_535:
        return "is longer than 65,535 bytes or holds a zero byte"
    return ""


def topic_problems(catalogue: Catalogue, pilot: Pilot, feed: Feed) -> Iterator[tuple[str, str]]:
    """(what, remedy) for each fault of one feed's topic, overlaps with other feeds apart."""
    if why := wrong_filter(feed.topic):
        yield why, "write whole levels: + for any one level, # at the end for all below"
        return
    if feed.topic.startswith("$share/"):
        yield (
            "is a shared subscription, in which each collector gets only a part of the messages",
            "write the topic alone; one collector serves a pilot",
        )
        return
    for ours in _OURS:
        if overlap(feed.topic, ours):
            yield f"also takes {ours}, where Periscope and the broker talk of themselves", "name the feed's own topic"
    others = [slug for slug in catalogue.pilots if slug != pilot.slug and overlap(feed.topic, f"pilots/{slug}/#")]
    if others and feed.topic.split("/")[:1] != ["pilots"]:
        yield f"also takes the messages of {', '.join(others)}", "name the feed's own topic"
    elif others and feed.topic.split("/")[1:2] in (["+"], ["#"]):
        yield f"also takes the messages of {', '.join(others)}", f"use pilots/{pilot.slug}/..."
