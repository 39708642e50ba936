"""The questions that we ask InfluxDB, in Flux, and how its CSV answers are read.

Promises: every query is a constant; each value, bucket names included, travels beside it as a parameter, so no
text is ever interpreted; every range has an explicit stop, so that nothing in the future is hidden; an error
told in the middle of an answer is an error and not the end of the data.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from pipeline.model import NS_PER_S

_RANGE: Final = "from(bucket: bucket) |> range(start: time(v: start), stop: time(v: stop))"
_STREAM: Final = ' |> filter(fn: (r) => r._measurement == stream and r._field == "body" and r.pilot == pilot)'
_KIND: Final = ' |> filter(fn: (r) => r._measurement == kind and r._field == "body")'
_PILOT: Final = " |> filter(fn: (r) => r.pilot == pilot)"
_KEY: Final = " |> filter(fn: (r) => r.key == key)"
_RECORDS: Final = ' |> keep(columns: ["_time", "_value", "pilot", "key"]) |> group()'

EVENTS: Final = _RANGE + _STREAM + ' |> keep(columns: ["_value"]) |> group()'
COUNT: Final = _RANGE + _STREAM + " |> count() |> group() |> sum()"
OF_ACTOR: Final = (
    _RANGE + ' |> filter(fn: (r) => r._field == "actor_key" and r.pilot == pilot and r._value == actor_key)'
    ' |> keep(columns: ["_measurement", "_time"]) |> group()'
)
TOUCHES: Final = (
    _RANGE + ' |> filter(fn: (r) => r._measurement == "touch" and r._field == "seq")'
    ' |> keep(columns: ["_time", "_value", "pilot"]) |> group()'
)
RECORDS: Final = {  # (pilot given, key given)
    (False, False): _RANGE + _KIND + _RECORDS,
    (True, False): _RANGE + _KIND + _PILOT + _RECORDS,
    (False, True): _RANGE + _KIND + _KEY + _RECORDS,
    (True, True): _RANGE + _KIND + _PILOT + _KEY + _RECORDS,
}
NOTHING: Final = _RANGE + " |> limit(n: 1)"

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class FluxFailed(Exception):
    """InfluxDB began to answer and then told an error; its text is the message."""


def rows(lines: Iterable[str], columns: Sequence[str]) -> Iterator[list[str]]:
    """The named columns of each row of a CSV answer with header; a column that a table lacks is empty."""
    places: list[int | None] | None = None
    for row in csv.reader(lines):
        if not row:  # a blank line ends a table
            places = None
        elif places is None:
            if "error" in row and "reference" in row:
                raise FluxFailed(next(iter(_errors(lines)), "the query failed"))
            places = [row.index(name) if name in row else None for name in columns]
        else:
            yield ["" if place is None else row[place] for place in places]


def _errors(lines: Iterable[str]) -> Iterator[str]:
    for row in csv.reader(lines):
        yield " ".join(cell for cell in row if cell)[:300]


def ns_of(rfc3339: str) -> int:
    """Nanoseconds of a time with up to nine decimals.

    >>> ns_of("1970-01-01T00:00:01.000000007Z"), ns_of("1969-12-31T23:59:59.5Z")
    (1000000007, -500000000)
    """
    whole, _, decimals = rfc3339.removesuffix("Z").partition(".")
    seconds = (datetime.fromisoformat(whole).replace(tzinfo=UTC) - _EPOCH) // timedelta(seconds=1)
    return seconds * NS_PER_S + int(decimals.ljust(9, "0") or "0")


def rfc3339_of(time_ns: int) -> str:
    """A time with nine decimals.

    >>> rfc3339_of(-1)
    '1969-12-31T23:59:59.999999999Z'
    """
    seconds, rest = divmod(time_ns, NS_PER_S)
    whole = (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat()
    return f"{whole}.{rest:09d}Z"


def predicate(measurement: str, tags: Sequence[tuple[str, str]]) -> str:
    """The delete predicate of one series, the only place that makes one.

    An empty predicate would delete the whole range of time, and one on anything but tags would delete nothing
    and say that it did: so it always names the measurement and all tags, whose values were made safe before.

    >>> predicate("usage", (("pilot", "milan"), ("feed", "bikes"), ("type", "action.performed")))
    '_measurement="usage" AND pilot="milan" AND feed="bikes" AND type="action.performed"'
    """
    if not measurement.isalpha() or not tags:
        raise ValueError("a delete needs a measurement and tags")
    if any(not value or not _plain(value) for _, value in tags):
        raise ValueError("a delete needs tags as `tag_text` makes them")
    return " AND ".join(f'{name}="{value}"' for name, value in (("_measurement", measurement), *tags))


def _plain(value: str) -> bool:
    return not any(sign in value for sign in "\"'\\\n\r\0")
