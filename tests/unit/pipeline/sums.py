"""What follows from sums that are told: the attacker's linear programme, whatever is counted.

Unknown are numbers of at least 0, one of each kind; whatever is told or hidden is a sum of some of them. That they are
whole numbers is left out, so what is found to be one number surely is.
"""

from collections.abc import Hashable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog
from scipy.sparse import csr_matrix, vstack

Row = npt.NDArray[np.float64]
UNBOUNDED = float("inf")


class Sums:
    """Takes in sums that are told; then says between what another sum must lie."""

    def __init__(self) -> None:
        self._rows: dict[bytes, csr_matrix] = {}
        self._told: dict[bytes, float] = {}

    def learn(self, row: Row, value: float, name: Hashable = "") -> None:
        key = row.tobytes()
        known = self._told.setdefault(key, value)
        assert abs(known - value) < 1e-6, f"{name} is told as {known} and as {value}"
        self._rows[key] = csr_matrix(row[None, :])

    def knows(self, row: Row) -> bool:
        return row.tobytes() in self._told

    def bounds(self, row: Row) -> tuple[float, float]:
        """The least and the most that a sum can be, given all that was told."""
        told: dict[str, Any] = {}
        if self._told:
            told = {
                "A_eq": vstack([self._rows[key] for key in self._told]),
                "b_eq": np.array(list(self._told.values())),
            }
        ends = []
        for sign in (1, -1):
            found = linprog(sign * row, **told, bounds=(0, None), method="highs")
            assert found.status in (0, 3), found.message
            ends.append(sign * found.fun if found.status == 0 else UNBOUNDED)
        return ends[0], ends[1]

    def room(self, row: Row) -> float:
        """How far the bounds are apart: below 1 only one whole number is possible."""
        if self.knows(row):
            return 0.0
        low, high = self.bounds(row)
        return high - low
