"""Six synthetic cities with planted effects: stands in for pilots that have no live feed.

The path of one message: `truth` (what is planted) and `habits` (how a city lives) → `world` (people and
activities of one pilot) → `usage`, `engagement`, `sensors` (what happens on one day) → `envelope` (bytes)
→ `history` (the past, newest day first) or `live` (from now on).
Everything is a function of (catalogue, seed, day of the start); every payload says `synthetic: true`.
"""

from collectors.simulator.envelope import Simulated
from collectors.simulator.history import history
from collectors.simulator.live import live

__all__ = ["Simulated", "history", "live"]
