"""`make chaos`: every row of the fault matrix, a table, build/chaos.json; exit code 1 when a promise is broken.

python -m tests.chaos [--rows F1,F2] [--short] [--seeds N]
"""

import argparse
import json
import os
import platform
import signal
import sys
import tempfile
import time
import traceback
from dataclasses import asdict
from pathlib import Path

from tests.chaos.harness import ROOT, Place, Scale
from tests.chaos.outcome import Outcome, table
from tests.chaos.rows import FAULTS, Run, found
from tests.services.influxdb import Influx

REPORT = ROOT / "build/chaos.json"


class _SharedInflux:
    """One InfluxDB for all rows, started when the first of them asks; each takes buckets of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._influx: Influx | None = None

    def __call__(self) -> Influx:
        if self._influx is None:
            self._influx = Influx(self._folder)
        if not self._influx.running:
            self._influx.start()
        return self._influx

    def stop(self) -> None:
        if self._influx is not None:
            self._influx.stop()


def main(words: list[str] | None = None) -> int:
    options = _options(words)
    os.environ["PERISCOPE_REQUIRE_SERVICES"] = "1"
    # A time limit ends us with SIGTERM, which would leave the servers running.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        rows = found(options.rows.split(",") if options.rows else None)
    except KeyError as error:
        print(f"chaos: there is no row {error}; python -m tests.chaos --help", file=sys.stderr)
        return 2
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        influx = _SharedInflux(Path(folder) / "influx")
        try:
            for seed in range(options.seed, options.seed + options.seeds):
                for row, run in rows.items():
                    began = time.monotonic()
                    outcomes.append(_one(row, run, Path(folder) / f"{row}-{seed}", influx, Scale(options.short, seed)))
                    print(f"{row} seed {seed}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
                    for sentence in outcomes[-1].failures():
                        print(f"  {sentence}", file=sys.stderr, flush=True)
        except KeyboardInterrupt:
            return 1
        finally:
            influx.stop()
    return report(outcomes, options.short, REPORT)


def _one(row: str, run: Run, folder: Path, influx: _SharedInflux, scale: Scale) -> Outcome:
    """One row in a folder of its own; whatever stops it is a problem of that row alone."""
    folder.mkdir()
    try:
        with Place(folder, influx) as place:
            return run(place, scale)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # pytest's own outcomes among them: a missing service
        traceback.print_exc()
        return Outcome(row, FAULTS[row], 0, 0, 0, 0, 0, 0, problems=(f"{type(error).__name__}: {error}",))


def report(outcomes: list[Outcome], short: bool, path: Path) -> int:
    """Print the table and what failed, write the same as JSON to `path`; the exit code."""
    failures = [sentence for outcome in outcomes for sentence in outcome.failures()]
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(table(outcomes))
    for sentence in failures:
        print(f"FAILED {sentence}")
    written = {
        "form": "short" if short else "long",
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "rows": [asdict(outcome) | {"failures": outcome.failures()} for outcome in outcomes],
    }
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(written, indent=2) + "\n")
    print(f"written to {path}")
    return 1 if failures or not outcomes else 0


def _options(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", help="some rows only, such as F1,F2")
    parser.add_argument("--short", action="store_true", help="fewer faults and messages, as in CI")
    parser.add_argument("--seeds", type=int, default=1, help="how many times, each with the next seed")
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main())
