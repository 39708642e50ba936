"""Names of interval methods as readers know them; a method without an entry is shown by its own name."""

from typing import Final

INTERVALS: Final = {
    "wilson": "Wilson",
    "poisson": "Poisson",
    "bootstrap": "bootstrap",
    "boot": "bootstrap",
    "bootstrap-t": "studentised bootstrap",
    "bca": "BCa bootstrap",
    "clustered wilson": "Wilson, clustered by person",
    "clustered wilson, in part": "Wilson, clustered where pseudonyms tell people apart",
    "wilson, unclustered": "Wilson, not clustered: people are not told apart",
    "kaplan-meier": "Kaplan-Meier, Greenwood band",
    "beta": "Beta(½, ½)",
    "theta": "Theta sketch bounds",
    "sketch": "Theta sketch bounds",
    "exact": "exact",
    "none": "none",
}
