"""Names of interval methods as readers know them; a method without an entry is shown by its own name."""

from typing import Final

INTERVALS: Final = {
    "wilson": "Wilson",
    "poisson": "Poisson",
    "bootstrap": "bootstrap",
    "boot": "bootstrap",
    "beta": "Beta(½, ½)",
    "theta": "Theta sketch bounds",
    "sketch": "Theta sketch bounds",
    "exact": "exact",
    "kaplan-meier": "Kaplan–Meier",
    "none": "none",
}
