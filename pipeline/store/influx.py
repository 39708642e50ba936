"""The store on InfluxDB 2; the only file that knows its client.

Promises: a write is one request per batch of at most 5,000 lines or 1 MiB, and when it returns every point was
accepted (and is on the server's log) or is named in a Refusal; a bad point is found by halving its batch, at
most 2·ceil(log2 n) more requests each; nothing is buffered, retried or dropped behind the caller's back.
Events are read from one string field (`docs/decisions/0001-events-as-one-body.md`).
"""

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Any, Final, NamedTuple

from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.domain.dialect import Dialect
from influxdb_client.rest import ApiException
from influxdb_client.service.authorizations_service import AuthorizationsService
from influxdb_client.service.buckets_service import BucketsService
from influxdb_client.service.ping_service import PingService
from influxdb_client.service.write_service import WriteService
from urllib3.exceptions import HTTPError, LocationValueError

from pipeline.model import NS_PER_S, Event, Record, Refusal, Touch
from pipeline.store import flux, limits
from pipeline.store.line_protocol import (
    day_of_touch,
    event_line,
    event_tags,
    record_line,
    tag_text,
    text_of_tag,
    touch_line,
)
from pipeline.store.port import PENDING_DELETION, Mode, StoreAway, StoreHeld, StoreRefused
from pipeline.store.responses import Split, meaning
from pipeline.store.schema import TAGS

MOST_LINES: Final = 5000
MOST_BYTES: Final = 1_048_576
_CSV: Final = Dialect(annotations=[], header=True, date_time_format="RFC3339Nano")  # type: ignore[no-untyped-call]
_DAY_NS: Final = 86_400 * NS_PER_S
_EVER: Final = (limits.MIN_NS, limits.MAX_NS + 1)


class BucketLook(NamedTuple):
    """What our token sees of a bucket; `retention_s` is 0 where it keeps everything and None where we may not know."""

    exists: bool
    reads: bool
    writes: bool
    retention_s: int | None


class InfluxStore:
    """The Store port on InfluxDB 2. `mode` says which buckets `ping` must be able to write and read."""

    def __init__(
        self,
        url: str,
        org: str,
        token: str,
        raw_bucket: str,
        derived_bucket: str,
        *,
        mode: Mode = "all",
        timeout_s: float = 15,
    ) -> None:
        if not (token.isascii() and (token.isprintable() or not token)):
            raise StoreRefused("PERISCOPE_INFLUX__TOKEN holds signs that no token has; copy it again")
        self._where, self._org, self._mode = f"InfluxDB at {url}", org, mode
        self._raw, self._derived = raw_bucket, derived_bucket
        csv.field_size_limit(max(csv.field_size_limit(), 4 * limits.MAX_BODY_BYTES))  # its default is 128 KiB
        self._client = InfluxDBClient(url, token, org=org, timeout=int(timeout_s * 1000), enable_gzip=False)
        self._writes = WriteService(self._client.api_client)  # type: ignore[no-untyped-call]
        self._queries = self._client.query_api()
        self._deletes = self._client.delete_api()

    def write(self, events: Sequence[Event]) -> list[Refusal]:
        admitted, refused = limits.admit(events)
        lines = [(event.event_id, event_line(event, body).encode()) for event, body in admitted]
        for batch in batches(lines):
            refused += self._send(self._raw, batch)
        return refused

    def read(self, pilot: str, streams: Sequence[str], start_ns: int, end_ns: int) -> list[Event]:
        start_ns, end_ns = limits.within(start_ns, end_ns)
        bodies: list[str] = []
        for stream in dict.fromkeys(streams):
            if start_ns < end_ns and stream in TAGS:
                asked = {"start": start_ns, "stop": end_ns, "stream": stream, "pilot": tag_text(pilot)}
                bodies += [body for (body,) in self._ask(flux.EVENTS, self._raw, asked, ("_value",))]
        return limits.events_of(bodies)

    def delete(self, events: Iterable[Event]) -> None:
        for event in events:
            if event.stream not in TAGS or not limits.MIN_NS <= event.time_ns <= limits.MAX_NS:
                continue  # it was never stored
            moment = flux.rfc3339_of(event.time_ns)
            with self._sentences():
                self._deletes.delete(
                    moment, moment, flux.predicate(event.stream, event_tags(event)), self._raw, self._org
                )

    def of_actor(self, pilot: str, actor_key: str) -> list[Event]:
        asked = {"start": _EVER[0], "stop": _EVER[1], "pilot": tag_text(pilot), "actor_key": actor_key}
        spans: dict[tuple[str, int], list[int]] = defaultdict(list)
        for stream, moment in self._ask(flux.OF_ACTOR, self._raw, asked, ("_measurement", "_time")):
            time_ns = flux.ns_of(moment)
            spans[stream, time_ns // _DAY_NS].append(time_ns)
        found = [
            event
            for (stream, _), times in spans.items()
            for event in self.read(pilot, [stream], min(times), max(times) + 1)
            if event.actor_key == actor_key
        ]
        return sorted(found, key=lambda event: (event.time_ns, event.event_id))

    def erase(self, pilot: str, actor_key: str) -> list[Event]:
        found = self.of_actor(pilot, actor_key)
        self.delete(found)
        return found

    def count(self, pilot: str, stream: str, start_ns: int, end_ns: int) -> int:
        start_ns, end_ns = limits.within(start_ns, end_ns)
        if start_ns >= end_ns or stream not in TAGS:
            return 0
        asked = {"start": start_ns, "stop": end_ns, "stream": stream, "pilot": tag_text(pilot)}
        return sum(int(number) for (number,) in self._ask(flux.COUNT, self._raw, asked, ("_value",)))

    def touch(self, touches: Sequence[Touch]) -> None:
        lines = [touch_line(pilot, day, seq).encode() for (pilot, day), seq in limits.latest(touches).items()]
        for batch in batches([("", line) for line in lines]):
            for refusal in self._send(self._raw, batch):
                self._await_deletion(refusal)
                if refusal.code != "beyond_retention":  # such a day has no events left that could be computed
                    raise StoreRefused(f"{self._where} refuses a touched day: {refusal.reason}")

    def touches(self) -> list[Touch]:
        asked = {"start": _EVER[0], "stop": _EVER[1]}
        rows = self._ask(flux.TOUCHES, self._raw, asked, ("pilot", "_time", "_value"))
        found = [Touch(pilot=text_of_tag(pilot), day=day_of_touch(when), seq=int(seq)) for pilot, when, seq in rows]
        return sorted(found, key=lambda touch: (touch.pilot, touch.day))

    def put(self, records: Sequence[Record]) -> None:
        limits.check_records(records)
        lines = [(f"{record.kind} {record.key}", record_line(record).encode()) for record in records]
        for batch in batches(lines):
            for refusal in self._send(self._derived, batch):
                self._await_deletion(refusal)
                raise StoreRefused(f"{self._where} refuses the record {refusal.event_id!r}: {refusal.reason}")

    def get(self, kind: str, pilot: str | None, start_ns: int, end_ns: int, key: str | None = None) -> list[Record]:
        start_ns, end_ns = limits.within(start_ns, end_ns)
        if start_ns >= end_ns:
            return []
        asked = {"start": start_ns, "stop": end_ns, "kind": kind}
        asked |= {} if pilot is None else {"pilot": tag_text(pilot)}
        asked |= {} if key is None else {"key": tag_text(key)}
        query = flux.RECORDS[pilot is not None, key is not None]
        found = [
            Record(kind=kind, pilot=text_of_tag(p), key=text_of_tag(k), time_ns=flux.ns_of(moment), body=body.encode())
            for p, k, moment, body in self._ask(query, self._derived, asked, ("pilot", "key", "_time", "_value"))
        ]
        return sorted(found, key=lambda record: (record.pilot, record.key, record.time_ns))

    def ping(self) -> None:
        """Ask for nothing and write nothing, with the rights that this process needs."""
        written = {"raw": [self._raw], "derived": [self._derived], "read": [], "all": [self._raw, self._derived]}
        for bucket in written[self._mode]:
            self._send(bucket, [("", b"")])
        read = {"raw": [self._raw], "read": [self._derived]}
        for bucket in read.get(self._mode, [self._raw, self._derived]):
            self._ask(flux.NOTHING, bucket, {"start": 0, "stop": 1}, ())

    def look(self, bucket: str) -> BucketLook:
        """The rights of our token on one bucket; changes nothing, and raises StoreAway, or StoreHeld for no token."""
        try:
            with self._sentences():
                service = BucketsService(self._client.api_client)  # type: ignore[no-untyped-call]
                found = service.get_buckets(name=bucket, org=self._org).buckets  # type: ignore[no-untyped-call]
        except StoreHeld as error:
            if _status(error) != 404:
                raise
            return BucketLook(False, False, False, None)
        rules = [rule.every_seconds for rule in found[0].retention_rules] if found else []
        try:
            self._send(bucket, [("", b"")])
            writes = True
        except StoreHeld as error:
            if _status(error) not in (403, 404):
                raise
            writes = False
        return BucketLook(True, bool(found), writes, max(rules, default=0) if found else None)

    def retention_ns(self) -> int | None:
        with self._sentences():
            service = BucketsService(self._client.api_client)  # type: ignore[no-untyped-call]
            found = service.get_buckets(name=self._raw, org=self._org).buckets  # type: ignore[no-untyped-call]
        kept_s = max((rule.every_seconds for bucket in found for rule in bucket.retention_rules), default=0)
        return int(kept_s) * NS_PER_S or None

    def sees_tokens(self) -> bool:
        """Whether our token may read the tokens of others, which no part needs."""
        try:
            with self._sentences():
                service = AuthorizationsService(self._client.api_client)  # type: ignore[no-untyped-call]
                return bool(service.get_authorizations(org=self._org).authorizations)  # type: ignore[no-untyped-call]
        except StoreHeld as error:
            if _status(error) not in (403, 404):
                raise
            return False

    def clock_ns(self) -> int | None:
        """The server's clock, to the second; None when it does not say."""
        with self._sentences():
            service = PingService(self._client.api_client)  # type: ignore[no-untyped-call]
            _, _, headers = service.get_ping_with_http_info(_return_http_data_only=False)  # type: ignore[no-untyped-call]
        said = headers.get("Date")
        return int(parsedate_to_datetime(said).timestamp()) * NS_PER_S if said else None

    def close(self) -> None:
        self._client.close()  # type: ignore[no-untyped-call]

    def _await_deletion(self, refusal: Refusal) -> None:
        if refusal.code == PENDING_DELETION:
            raise StoreAway(f"{self._where} is deleting a shard that we write to", 60)

    def _send(self, bucket: str, points: Sequence[tuple[str, bytes]]) -> list[Refusal]:
        """Write points (id, line); those that can never be written come back as refusals."""
        try:
            with self._sentences(divisible=True):
                data = b"\n".join(line for _, line in points)
                _, status, headers = self._writes.post_write_with_http_info(  # type: ignore[no-untyped-call]
                    self._org, bucket, data, precision="ns", content_type="text/plain; charset=utf-8"
                )
                if status != 204:  # a page that a proxy shows in place of the server is no promise
                    raise meaning(status, headers, "no sign of a write", self._where)
        except Split as split:
            if len(points) == 1:
                return [Refusal(event_id=points[0][0], code=split.code, reason=split.reason)]
            middle = (len(points) + 1) // 2
            return self._send(bucket, points[:middle]) + self._send(bucket, points[middle:])
        return []

    def _ask(self, query: str, bucket: str, asked: dict[str, Any], columns: Sequence[str]) -> list[list[str]]:
        if not limits.sayable(*(text for text in asked.values() if isinstance(text, str))):
            return []
        with self._sentences():
            try:
                answer = self._queries.query_raw(query, org=self._org, dialect=_CSV, params={"bucket": bucket, **asked})
                answer.auto_close = False  # else the text reader meets a closed file at its end
                with io.TextIOWrapper(io.BufferedReader(answer, 1 << 18), "utf-8", newline="") as lines:
                    found = list(flux.rows(lines, columns))
                    answer.release_conn()
                    return found
            except flux.FluxFailed as error:
                raise StoreAway(f"{self._where} failed while it answered: {error}") from error

    @contextmanager
    def _sentences(self, divisible: bool = False) -> Iterator[None]:
        """The client's errors as ours; only a batch of points can be taken apart."""
        try:
            yield
        except ApiException as error:
            meant = meaning(error.status, error.headers, error.body, self._where)
            if isinstance(meant, Split) and not divisible:
                meant = StoreRefused(f"{self._where} does not understand the request: {meant.reason}")
            raise meant from error
        except LocationValueError as error:
            raise StoreHeld(f"{self._where} has no usable address; set PERISCOPE_INFLUX__URL") from error
        except (HTTPError, OSError) as error:
            raise StoreAway(f"{self._where} cannot be reached ({type(error).__name__})") from error


def _status(error: StoreHeld) -> int | None:
    return getattr(error.__cause__, "status", None)


def batches(
    points: Sequence[tuple[str, bytes]], most_lines: int = MOST_LINES, most_bytes: int = MOST_BYTES
) -> Iterator[list[tuple[str, bytes]]]:
    """Points in order, cut so that no request is larger than it may be; a larger line travels alone."""
    batch: list[tuple[str, bytes]] = []
    size = 0
    for point in points:
        if batch and (len(batch) == most_lines or size + len(point[1]) >= most_bytes):
            yield batch
            batch, size = [], 0
        batch.append(point)
        size += len(point[1]) + 1
    if batch:
        yield batch
