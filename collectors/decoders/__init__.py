"""Decoders: one pure function per payload format, from a raw message and its place to events.

A decoder is total: it returns events, an empty list included, or raises Undecodable. It reads no clock, keeps
no state and resolves nothing over a network. `empty` of its answer counts measured fields without a reading,
`faults` holds one for each point that is bad although the message is sound.
"""

from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple

from collectors.message import Fault, RawMessage
from collectors.topics import Place
from config.formats import FORMATS
from pipeline.model import Event


class Decoded(NamedTuple):
    """What one message holds; `empty` is how many of its fields carried no reading, each fault names its point."""

    events: list[Event]
    empty: int = 0
    faults: tuple[Fault, ...] = ()


Decoder = Callable[[RawMessage, Place], Decoded]


DECODERS: dict[str, Decoder] = {name: import_module(f"{__name__}.{name}").decode for name in FORMATS}
