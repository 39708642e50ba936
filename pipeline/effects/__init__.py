"""Uptake around engagement: whether it changed, and how much may be said of it. Source: indicators.md 7.

recorded.py     what is on record of a pilot: activities, disturbances, whose use to leave out on which day
series.py       the outcome week by week
conditions.py   a to h: without all of them there is no number
tests.py        the rank of the true dates among all shifts of them
estimate.py     size, block-bootstrap interval, interrupted time series, smallest effect that would have been seen
ladder.py       Holm's correction and the words L0 to L3
answers.py      all of it for one pilot or several
export.py       effects.csv
"""

from pipeline.effects.answers import effects

__all__ = ["effects"]
