"""P(best): how sure it is that a method is the best of those that a pilot used, by resampling activities.

Promises: deterministic; the probabilities of the methods compared add up to 1, ties shared; it is a description of
one pilot and stage, never a ranking of methods. Both are percentile bootstraps, so with few activities they are rough.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from pipeline.findings import Figure
from pipeline.fit.figures import Kind, Pair

SEED: Final = 2018
DRAWS: Final = 2_000
OUTER: Final = 100
INNER: Final = 100
INTERVAL: Final = "bootstrap of the bootstrap"
Floats = npt.NDArray[Any]


def probabilities(kind: Kind, methods: Mapping[str, Sequence[Pair]]) -> dict[str, Figure]:
    """P(best) by method, from each activity's part of the figure; {} for fewer than two methods.

    The interval is the middle 95 % of what P(best) would be had other activities of the same kind been held.
    """
    if len(methods) < 2:
        return {}
    rng = np.random.default_rng(SEED)
    names = sorted(methods)
    parts = [np.array(methods[name], dtype=float) for name in names]
    single = np.stack([_summed(kind, part[rng.integers(0, len(part), (DRAWS, len(part)))]) for part in parts])
    point = _best(kind, single).mean(axis=-1)
    double = np.stack([_summed(kind, _twice(part, rng)) for part in parts])
    spread = np.quantile(_best(kind, double).mean(axis=-1), (0.025, 0.975), axis=-1)
    return {
        name: Figure(
            value=float(point[place]),
            n=len(parts[place]),
            lower=float(min(spread[0, place], point[place])),
            upper=float(max(spread[1, place], point[place])),
            interval=INTERVAL,
        )
        for place, name in enumerate(names)
    }


def _twice(part: Floats, rng: np.random.Generator) -> Floats:
    """Samples of samples: outer × inner × activities × 2."""
    n = len(part)
    outer = rng.integers(0, n, (OUTER, n))
    inner = rng.integers(0, n, (OUTER, INNER, n))
    return part[np.take_along_axis(outer[:, None, :], inner, axis=-1)]


def _summed(kind: Kind, drawn: Floats) -> Floats:
    """The figure of each sample: a median, or a ratio of sums."""
    if kind.median:
        return np.asarray(np.median(drawn[..., 0], axis=-1))
    return np.asarray(drawn[..., 0].sum(axis=-1) / drawn[..., 1].sum(axis=-1))


def _best(kind: Kind, figures: Floats) -> Floats:
    """Each method's part in being the best of a sample: 1, 0, or a share of a tie."""
    scored = kind.better * figures
    first = scored >= scored.max(axis=0) - 1e-12
    return np.asarray(first / first.sum(axis=0))
