"""The port to the broker: what the Log needs of whatever publishes; `periscope.py` hands one in."""

from collections.abc import Sequence
from typing import Protocol


class Undelivered(Exception):
    """Nothing more was published; the sentence says why. Trying again later may help."""


class Publisher(Protocol):
    """Publishes messages with QoS 1."""

    def __call__(self, messages: Sequence[tuple[str, bytes]]) -> None:
        """Return when the broker has acknowledged every (topic, payload), in this order; else raise Undelivered."""
        ...
