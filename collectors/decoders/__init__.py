"""Decoders: one pure function per payload format, from a raw message and its place to events.

A decoder is total: it returns events, an empty list included, or raises Undecodable. It reads no clock, keeps
no state and resolves nothing over a network. `empty` of its answer counts measured fields without a reading,
`faults` holds one for each point that is bad although the message is sound.
"""

from collections.abc import Callable
from typing import NamedTuple

from collectors.message import Fault, RawMessage
from collectors.topics import Place
from pipeline.model import Event


class Decoded(NamedTuple):
    """What one message holds; `empty` is how many of its fields carried no reading, each fault names its point."""

    events: list[Event]
    empty: int = 0
    faults: tuple[Fault, ...] = ()


Decoder = Callable[[RawMessage, Place], Decoded]


def _load() -> dict[str, Decoder]:
    from collectors.decoders import (
        chirpstack,
        cloudevents,
        flat_json,
        line_protocol,
        ngsi_ld,
        ngsi_v2,
        senml,
        things_stack,
    )

    return {
        "cloudevents": cloudevents.decode,
        "flat_json": flat_json.decode,
        "senml": senml.decode,
        "ngsi_v2": ngsi_v2.decode,
        "ngsi_ld": ngsi_ld.decode,
        "things_stack": things_stack.decode,
        "chirpstack": chirpstack.decode,
        "line_protocol": line_protocol.decode,
    }


DECODERS: dict[str, Decoder] = _load()
