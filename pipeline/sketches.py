"""Sets of people as Theta sketches: the only place that knows how distinct people are counted.

Promises: a count is exact while no set involved holds more than 4,096 people, and says so; sets whose
pseudonyms were made with different keys are never combined (OtherKeyEpoch); there is no way to add two
counts of people, only to count a union. Source: Apache DataSketches, Theta sketch framework.
"""

import base64
import re
from collections.abc import Iterable
from typing import Any, Final

import datasketches

LG_K: Final = 12
SEED: Final = 9001
_MIXED: Final = "!mixed"
_PSEUDONYM: Final = re.compile(r"(.+)[A-Z2-7]{26}", re.DOTALL)


class OtherKeyEpoch(Exception):
    """Pseudonyms made with different keys: the same person has two names, so the sets cannot be combined."""


def key_epoch(actor_key: str) -> str:
    """The id of the key that made a pseudonym: what stands before its 26 base32 letters, "" for other forms.

    >>> key_epoch("k1" + "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    'k1'
    """
    found = _PSEUDONYM.fullmatch(actor_key)
    return found[1] if found else ""


def _empty() -> Any:
    return datasketches.update_theta_sketch(LG_K, seed=SEED).compact()


class People:
    """An unordered set of pseudonyms of one key epoch; immutable. The empty set goes with any epoch."""

    __slots__ = ("_sketch", "epoch")

    def __init__(self, sketch: Any, epoch: str | None) -> None:
        self._sketch = sketch
        self.epoch = epoch

    @classmethod
    def of(cls, actor_keys: Iterable[str]) -> "People":
        """The set of these people; keys of several epochs give a set that refuses every question."""
        keys = set(actor_keys)
        if not keys:
            return NOBODY
        epochs = {key_epoch(key) for key in keys}
        if len(epochs) > 1:
            return cls(None, _MIXED)
        sketch = datasketches.update_theta_sketch(LG_K, seed=SEED)
        for key in keys:
            sketch.update(key)
        return cls(sketch.compact(), epochs.pop())

    def _with(self, other: "People") -> str | None:
        """The common epoch, or OtherKeyEpoch."""
        if _MIXED in (self.epoch, other.epoch):
            raise OtherKeyEpoch("the key of the pseudonyms changed within a day")
        if self.epoch is not None and other.epoch is not None and self.epoch != other.epoch:
            raise OtherKeyEpoch(f'pseudonyms were made with the keys "{self.epoch}" and "{other.epoch}"')
        return self.epoch if self.epoch is not None else other.epoch

    def __or__(self, other: "People") -> "People":
        epoch = self._with(other)
        if other._empty:
            return self
        if self._empty:
            return other
        both = datasketches.theta_union(LG_K, seed=SEED)
        both.update(self._sketch)
        both.update(other._sketch)
        return People(both.get_result(), epoch)

    def __and__(self, other: "People") -> "People":
        epoch = self._with(other)
        if self._empty or other._empty:
            return NOBODY
        common = datasketches.theta_intersection(seed=SEED)
        common.update(self._sketch)
        common.update(other._sketch)
        return People(common.get_result(), epoch)

    def __sub__(self, other: "People") -> "People":
        epoch = self._with(other)
        if self._empty or other._empty:
            return self
        return People(datasketches.theta_a_not_b(seed=SEED).compute(self._sketch, other._sketch), epoch)

    @property
    def nobody(self) -> bool:
        """True where nobody is counted: the empty set, and an estimate of 0, which is not known to be the empty set."""
        return self.epoch != _MIXED and int(self._sketch.num_retained) == 0

    @property
    def _empty(self) -> bool:
        """True for the set that is known to be empty. An estimate of 0 is combined with its own uncertainty."""
        return self.epoch != _MIXED and bool(self._sketch.is_empty())

    @property
    def count(self) -> int:
        """How many people, rounded where it is an estimate."""
        self._with(self)
        return round(float(self._sketch.get_estimate()))

    @property
    def exact(self) -> bool:
        """True where `count` is not an estimate."""
        self._with(self)
        return not bool(self._sketch.is_estimation_mode())

    @property
    def bounds(self) -> tuple[float, float]:
        """About 95 % bounds of the estimate; both equal the count where it is exact."""
        self._with(self)
        return float(self._sketch.get_lower_bound(2)), float(self._sketch.get_upper_bound(2))

    def dump(self) -> str:
        """As text: the epoch, a colon and base64 of the compact sketch; "" for nobody."""
        if self.epoch == _MIXED:
            return _MIXED
        if self._empty:
            return ""
        return f"{self.epoch or ''}:{base64.b64encode(self._sketch.serialize()).decode()}"

    @classmethod
    def load(cls, text: str) -> "People":
        """The set that `dump` wrote."""
        if not text:
            return NOBODY
        if text == _MIXED:
            return cls(None, _MIXED)
        epoch, _, body = text.rpartition(":")
        return cls(datasketches.compact_theta_sketch.deserialize(base64.b64decode(body), seed=SEED), epoch)


NOBODY: Final = People(_empty(), None)


def union(sets: Iterable[People]) -> People:
    """Everybody who is in any of the sets."""
    parts = [people for people in sets if people.epoch is not None]
    if len(parts) < 2:
        return parts[0] if parts else NOBODY
    everybody = datasketches.theta_union(LG_K, seed=SEED)
    epoch = parts[0].epoch
    for people in parts:
        people._with(parts[0])
        if not people._empty:
            everybody.update(people._sketch)
    return People(everybody.get_result(), epoch)
