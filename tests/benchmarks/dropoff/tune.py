"""`make tune-alerts`: thresholds at which each rule errs once a year, on seeds that no table uses.

Writes thresholds.json: per cell one for each rule, and the production threshold of a lone stream, chosen once for all
cells. About five minutes on two cores.
"""

import json
import os
import sys
from functools import partial
from multiprocessing import Pool
from typing import Final

from tests.benchmarks.dropoff.figures import CELLS
from tests.benchmarks.dropoff.rivals import THRESHOLDS, name_of, tune

SEEDS: Final = [901, 902, 903]
SIZE: Final = 400


def main() -> int:
    """Tune every cell and write the file."""
    with Pool(min(2, os.cpu_count() or 1)) as pool:
        found = pool.map(partial(tune, SEEDS, SIZE), range(len(CELLS)), chunksize=1)
    cells = {name_of(*cell): limits for cell, limits in zip(CELLS, found, strict=True)}
    THRESHOLDS.write_text(
        json.dumps(
            {"seeds": SEEDS, "series per seed and cell": SIZE, "once a year": cells}, indent=1, ensure_ascii=False
        )
        + "\n"
    )
    for name, limits in cells.items():
        print(name, limits, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
