"""F7: k bad points among n cost themselves alone, whether the server refuses the whole request (400) or a part (422).

The front plays a server that finds points bad which a real one, fed by us, never sees: marked events make it answer
400 with nothing stored, or 422 with the rest stored. One bad point among 5,000 is a run of its own, in process, where
the number of requests is exact; in the collector's run batches are as they come.
"""

import math
import re

from pipeline.model import Event
from pipeline.store.influx import InfluxStore
from tests.chaos.front import Answer, Front
from tests.chaos.harness import Place, Scale
from tests.chaos.judgement import outcome, settle
from tests.chaos.outcome import Outcome
from tests.contract.samples import T0, action

_NUMBER = re.compile(rb"app/n-(\d+)\\?\"")
_REASON = {
    400: b'{"code":"invalid","message":"unable to parse: scripted"}',
    422: b'{"code":"unprocessable entity","message":"partial write: field type conflict: scripted dropped=1"}',
}


def run(place: Place, scale: Scale) -> Outcome:
    place.begin(store="influx", spool__write_batch=5000)
    assert place.influx is not None
    total, every = scale.pick((3_000, 97), (30_000, 401))
    with Front(place.influx.port) as front:
        problems = _exact(place, front, scale)
        place.set(influx__url=f"http://127.0.0.1:{front.port}")
        oracle = place.oracle(total, rate=5000)
        front.judge = lambda lines: _judged(front, lines, every)
        front.writes.clear()
        oracle.start()
        verdict = settle(place, oracle)
        bad = {number for number in oracle.acked if number % every == 0}
        front.judge = lambda lines: None
        requests, first = len(front.writes), sum(1 for seen in front.writes if seen.lines)
    totals = place.totals()
    if set(verdict.lost) != bad:
        problems.append(f"{len(set(verdict.lost) ^ bad)} messages are missing or stored against the rule")
    if totals["dead_lettered"] != len(bad):
        problems.append(f"{totals['dead_lettered']} dead letters for {len(bad)} bad points")
    most = 2 * len(bad) * math.ceil(math.log2(5000)) + 2 * first
    if requests > most:
        problems.append(f"{requests} requests, at most {most}")
    verdict.lost = sorted(set(verdict.lost) - bad)
    return outcome(
        "F7", "bad points in a batch: 400, 422", len(bad), oracle, verdict, least_obligations=scale.pick(2_000, 20_000),
        problems=problems,
    )  # fmt: skip


def _judged(front: Front, lines: list[bytes], every: int) -> Answer | None:
    """400 for odd, 422 for even multiples; with 422 the good lines are stored, as the real server does."""
    numbers = [int(found[1]) if (found := _NUMBER.search(line)) else 1 for line in lines]
    bad = [number for number in numbers if number % every == 0 and number < 10**6]
    if not bad:
        return None
    status = 400 if any(number // every % 2 for number in bad) else 422
    if status == 422:
        front.store([line for line, number in zip(lines, numbers, strict=True) if number not in bad])
    return Answer(status, body=_REASON[status])


def _exact(place: Place, front: Front, scale: Scale) -> list[str]:
    """k bad points in one batch of 5,000: who is refused, what is stored, and how many requests it took."""
    assert place.influx is not None
    problems = []
    for status in (400, 422):
        for bad in scale.pick([[2500]], [[2500], [0], [4999], [0, 4999], [*range(0, 5000, 500)], [*range(1000, 1020)]]):
            raw, derived = place.influx.fresh_buckets()
            url = f"http://127.0.0.1:{front.port}"
            store = InfluxStore(url, place.influx.org, place.influx.token, raw, derived, timeout_s=60)
            marks = [f'"e{number:04}"'.encode() for number in bad]

            def judged(lines: list[bytes], marks: list[bytes] = marks, status: int = status) -> Answer | None:
                hit = [line for line in lines if any(mark in line.replace(b"\\", b"") for mark in marks)]
                if hit and status == 422:
                    front.store([line for line in lines if line not in hit])
                return Answer(status, body=_REASON[status]) if hit else None

            front.judge = judged
            front.writes.clear()
            events: list[Event] = [action(f"e{number:04}", T0 + number) for number in range(5000)]
            refused = [int(refusal.event_id[1:]) for refusal in store.write(events)]
            most = 2 * len(bad) * math.ceil(math.log2(5000)) + 2
            stored = store.count(events[0].pilot, "usage", 0, 2**62)
            store.close()
            if refused != bad or stored != 5000 - len(bad) or len(front.writes) > most:
                problems.append(
                    f"{status}, {len(bad)} bad of 5,000: {len(refused)} refused, {stored} stored, "
                    f"{len(front.writes)} requests (at most {most})"
                )
    return problems
