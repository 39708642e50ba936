"""The test behind "does one size fit all?": do methods differ in the same way in every pilot?

The null hypothesis is that a pilot and a method each add their part, wherever they meet: methods that do not differ at
all are the special case. An additive model is fitted, and the statistic is the weighted sum of squares by which the
means of pilot × method cells miss it, each cell weighted by its own variance (drawn towards the common one, worth
`PRIOR` activities, as cells are small).

Two references, and the larger p-value counts:
- **labels**: residuals of the additive model, made equal in variance by their leverage, are permuted within pilot
  (Freedman and Lane 1983, with pilots as blocks). Permuting the labels of raw values instead would take a method effect
  that is common to all pilots for noise.
- **signs**: the sign of each residual is drawn anew, which keeps each cell's own variance (Wu 1986). Where the method
  that is used least varies most, permuted labels reject true nulls far too often (measured: 16 to 27 % at a nominal
  5 %), signs do not.

`tests/coverage/one_size.py` measures the level. Promises: deterministic; the order of activities does not matter.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

PERMUTATIONS: Final = 1_999
SEED: Final = 2018
PRIOR: Final = 4.0
LEAST: Final = 3  # activities of a pilot with a method, so that a cell has a variance
_EPSILON: Final = 1e-9
Floats = npt.NDArray[Any]
Cells = Mapping[tuple[str, str], Sequence[float]]


@dataclass(frozen=True)
class Found:
    """What the test says: the larger p-value, the two, the statistic, and how much entered."""

    p_value: float
    statistic: float
    by_labels: float
    by_signs: float
    permutations: int
    activities: int


@dataclass(frozen=True)
class _Design:
    """Activities by cell. `cell` is 1 where an activity lies in a cell; `additive` has a row per cell."""

    cell: Floats
    additive: Floats
    pilot_of: npt.NDArray[Any]

    @property
    def size(self) -> Floats:
        return np.asarray(self.cell.sum(axis=0))


def comparable(cells: Cells) -> dict[tuple[str, str], list[float]]:
    """The part of a table in which an interaction can be seen, in order of pilot and method.

    Cells of fewer than `LEAST` activities go, then methods of a single pilot and pilots with a single method, until
    none is left. Empty where fewer than two of each remain.
    """
    kept = {key: sorted(values) for key, values in sorted(cells.items()) if len(values) >= LEAST}
    while True:
        pilots, methods = [pilot for pilot, _ in kept], [method for _, method in kept]
        alone = {key for key in kept if pilots.count(key[0]) < 2 or methods.count(key[1]) < 2}
        if not alone:
            return kept
        kept = {key: values for key, values in kept.items() if key not in alone}


def interaction(cells: Cells, permutations: int = PERMUTATIONS, seed: int = SEED) -> Found | None:
    """The test on a table of `comparable` cells; None where additive parts explain every table of this form, or where
    nothing varies within any cell."""
    if not cells:
        return None
    values = np.concatenate([np.asarray(one, dtype=float) for one in cells.values()])
    design = _design(cells)
    additive = _basis(design.cell @ design.additive)
    if additive.shape[1] >= len(cells):
        return None
    residual = values - additive @ (additive.T @ values)
    if not _varies(residual, design):
        return None
    observed = float(_statistic(residual[None, :], design)[0])
    even = _evened(residual, additive, design)
    rng = np.random.default_rng(seed)
    labels = _p(_statistic(even[_within(design.pilot_of, permutations, rng)], design), observed)
    flips = rng.choice((-1.0, 1.0), size=(permutations, len(even)))
    signs = _p(_statistic(even * flips, design), observed)
    return Found(max(labels, signs), observed, labels, signs, permutations, len(values))


def _design(cells: Cells) -> _Design:
    keys = list(cells)
    pilots, methods = sorted({pilot for pilot, _ in keys}), sorted({method for _, method in keys})
    cell = np.repeat(np.eye(len(keys)), [len(cells[key]) for key in keys], axis=0)
    additive = np.array(
        [[one == pilot for one in pilots] + [one == method for one in methods] for pilot, method in keys], dtype=float
    )
    pilot_of = np.repeat([pilots.index(pilot) for pilot, _ in keys], [len(cells[key]) for key in keys])
    return _Design(cell, additive @ _row_basis(additive), pilot_of)


def _row_basis(matrix: Floats) -> Floats:
    """Columns that span the same models without redundancy: pilots and methods share a constant."""
    _, sizes, rows = np.linalg.svd(matrix, full_matrices=False)
    return np.asarray(rows[sizes > _EPSILON * sizes[0]].T)


def _basis(matrix: Floats) -> Floats:
    left, sizes, _ = np.linalg.svd(matrix, full_matrices=False)
    return np.asarray(left[:, sizes > _EPSILON * sizes[0]])


def _varies(residual: Floats, design: _Design) -> bool:
    within = residual - design.cell @ ((residual @ design.cell) / design.size)
    return bool((within**2).sum() > _EPSILON * max(1.0, float((residual**2).sum())))


def _evened(residual: Floats, additive: Floats, design: _Design) -> Floats:
    """Residuals of equal variance, had the values it; around 0 within each pilot."""
    even = residual / np.sqrt(np.maximum(1 - (additive**2).sum(axis=1), _EPSILON))
    for pilot in np.unique(design.pilot_of):
        even[design.pilot_of == pilot] -= even[design.pilot_of == pilot].mean()
    return np.asarray(even)


def _within(blocks: npt.NDArray[Any], times: int, rng: np.random.Generator) -> npt.NDArray[Any]:
    """Places after permutations within blocks, one row each."""
    found = np.tile(np.arange(len(blocks)), (times, 1))
    for block in np.unique(blocks):
        places = np.flatnonzero(blocks == block)
        found[:, places] = places[rng.random((times, len(places))).argsort(axis=1)]
    return found


def _statistic(values: Floats, design: _Design) -> Floats:
    """Weighted squares by which cell means miss the additive model, for each row of values."""
    size, additive = design.size, design.additive
    means = values @ design.cell / size
    squares = np.maximum(values**2 @ design.cell - size * means**2, 0.0)
    common = squares.sum(axis=-1, keepdims=True) / (size.sum() - len(size))
    weight = size / np.maximum((squares + PRIOR * common) / (size - 1 + PRIOR), 1e-300)
    normal = np.einsum("...c,ci,cj->...ij", weight, additive, additive)
    right = np.einsum("...c,ci,...c->...i", weight, additive, means)
    fitted = np.linalg.solve(normal, right[..., None])[..., 0] @ additive.T
    return np.asarray((weight * (means - fitted) ** 2).sum(axis=-1))


def _p(reference: Floats, observed: float) -> float:
    """The observed table counts as one of its own references, so p is never 0."""
    return float((1 + (reference >= observed * (1 - 1e-9)).sum()) / (1 + len(reference)))
