"""What a seed yields: per-series results that are pooled over seeds before any figure is made."""

from dataclasses import dataclass

import numpy as np

from tests.benchmarks.dropoff.generator import Floats
from tests.benchmarks.dropoff.scoring import Figure, median, paired, rate, share


@dataclass(frozen=True)
class Sample:
    """`values` per series: 0 or 1 of a share, events per year of a rate, days of a median, a pair's difference."""

    kind: str
    values: Floats

    def figure(self) -> Figure:
        """The number with its interval."""
        if self.kind == "share":
            return share(self.values)
        if self.kind == "median":
            return median(self.values.astype(np.int64))
        if self.kind == "difference":
            return paired(self.values, np.zeros_like(self.values))
        return rate(self.values)


Samples = dict[str, Sample]


def pooled(seeds: list[Samples]) -> Samples:
    """All seeds' results under each name."""
    return {
        name: Sample(first.kind, np.concatenate([one[name].values for one in seeds]))
        for name, first in seeds[0].items()
    }
