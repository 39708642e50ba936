"""The payload formats that a feed may name, each the name of its file in `collectors/decoders`.

A further format is one such file, one folder of cases in `tests/data/decoders`, and one line here.
"""

from typing import Final

FORMATS: Final = (
    "cloudevents",
    "flat_json",
    "senml",
    "ngsi_v2",
    "ngsi_ld",
    "things_stack",
    "chirpstack",
    "line_protocol",
)
