"""`make bench-alerts`: A1 to A12 for the production detector and its rivals; build/dropoff.json and the page's table.

    python -m tests.benchmarks.dropoff [--seeds 1 2 3 4] [--size 60] [--only A6 A10 rivals]

`--only` prints what it measured and writes no file.
"""

import argparse
import json
import os
import sys
import time
from multiprocessing import Pool
from pathlib import Path
from typing import Final

from tests.benchmarks.dropoff import criteria, page, published, rivals
from tests.benchmarks.dropoff.figures import CELLS, PARTS
from tests.benchmarks.dropoff.samples import Samples, pooled

ROOT: Final = Path(__file__).parents[3]
REPORT: Final = ROOT / "build" / "dropoff.json"
SEEDS: Final = [1, 2, 3, 4]
SIZE: Final = 60
Job = tuple[str, int, int]


def measure(job: Job) -> tuple[int, Samples]:
    """One part of one seed."""
    part, seed, size = job
    if part.startswith("rivals "):
        return seed, rivals.compare(seed, size, int(part.split()[1]))
    if part.startswith("published "):
        return seed, published.measure(seed, size // 5, int(part.split()[1]))
    return seed, PARTS[part](seed, size)


def parts() -> list[str]:
    """Everything there is to measure, the longest first."""
    return [*PARTS, *(f"rivals {at}" for at in range(len(CELLS))), *(f"published {at}" for at in published.SIGNALS)]


def study(seeds: list[int], size: int, only: list[str]) -> dict[int, Samples]:
    """Each seed's samples, measured in as many processes as there are processors, two at most."""
    wanted = [part for part in parts() if not only or part in only or part.split()[0] in only]
    jobs = [(part, seed, size) for part in wanted for seed in seeds]
    found: dict[int, Samples] = {seed: {} for seed in seeds}
    with Pool(min(2, os.cpu_count() or 1)) as pool:
        for done, (seed, samples) in enumerate(pool.imap_unordered(measure, jobs), 1):
            found[seed] |= samples
            print(f"\r{done}/{len(jobs)}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return found


def main() -> int:
    """Measure, print and write; 1 where a bound is missed or a naive rule is better."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    asked.add_argument("--size", type=int, default=SIZE, help="series, or pilots, of each cell and seed")
    asked.add_argument("--only", nargs="+", default=[])
    options = asked.parse_args()
    started = time.monotonic()
    seeds = study(options.seeds, options.size, options.only)
    together = pooled(list(seeds.values()))
    rows = criteria.rows(together, seeds)
    seconds = round(time.monotonic() - started)
    for line in page.criteria_table(rows):
        print(line)
    better = criteria.better_naive(together)
    print("A naive rule is better, beyond chance:", ", ".join(better) or "nowhere")
    print(f"{seconds} s")
    if options.only:
        for name, sample in together.items():
            print(name, page.told(sample.figure(), sample.kind))
        return 0
    REPORT.parent.mkdir(exist_ok=True)
    figures = {name: vars(sample.figure()) | {"kind": sample.kind} for name, sample in together.items()}
    asked_for = {"seeds": options.seeds, "size": options.size, "seconds": seconds}
    report = asked_for | {"criteria": rows, "naive rule better": better, "figures": figures}
    REPORT.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    page.write(rows, together, asked_for)
    return int(bool(better) or any(row["verdict"] == "misses" for row in rows))


if __name__ == "__main__":
    sys.exit(main())
