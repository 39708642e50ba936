"""F19: a collector on the spool of the version before, then on one of a version to come, which it refuses."""

import sqlite3

from collectors.spool_day import VERSION
from tests.chaos.harness import Place, Scale
from tests.chaos.judgement import outcome, settle
from tests.chaos.outcome import Outcome
from tests.unit.collectors.test_spool_versions import DAY, lay_version_1

CARRIED_OVER = {"app/v1-3", "app/v1-4", "app/v1-5"}


def run(place: Place, scale: Scale) -> Outcome:
    folder = place.folder / "var/spool/main"
    place.begin(session=False)
    folder.mkdir(parents=True)
    lay_version_1(folder)
    problems = []
    oracle = place.oracle(scale.pick(500, 5_000), rate=1000)
    place.start()
    place.wait_ready()
    oracle.start()
    verdict = settle(place, oracle)
    if set(verdict.spurious) != CARRIED_OVER:
        problems.append(f"of the earlier version's pending messages {verdict.spurious} were delivered")
    verdict.spurious = []
    path = folder / f"spool-{DAY}.db"
    with sqlite3.connect(path) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version != VERSION:
            problems.append(f"the file of the earlier version was left at {version}")
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    before = path.read_bytes()
    code = place.start().process.wait(30)
    sentence = place.collector.text.strip().splitlines()[-1]
    if code != 1 or "newer version" not in sentence:
        problems.append(f"a later version's spool: ended with {code}: {sentence}")
    if path.read_bytes() != before:
        problems.append("the later version's file was changed")
    return outcome(
        "F19", "spool of another version", 2, oracle, verdict, least_obligations=scale.pick(400, 4_000),
        problems=problems,
    )  # fmt: skip
