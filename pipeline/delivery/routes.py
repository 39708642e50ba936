"""Which channels hear of an incident: pure."""

from collections.abc import Sequence
from typing import Final

import msgspec

from pipeline.alerts.transition import SEVERITIES

SYSTEM: Final = "-"  # the pilot of what concerns Periscope itself; no pilot has this slug
FAILING: Final = "channel_failing"
WATCHDOG: Final = "watchdog"
FAULTS: Final = frozenset(
    {"feed_silent", "evaluation_failed", FAILING}
)  # nothing is watched meanwhile, so they are repeated sooner


class Route(msgspec.Struct, frozen=True):
    """What one channel hears; no pilots or kinds means all, `watchdog` that it gets a daily sign of life."""

    channel: str
    pilots: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    severity: str = "notice"
    watchdog: bool = False


class Routes(msgspec.Struct, frozen=True):
    """The routes of all channels, and how messages are put together and repeated."""

    routes: tuple[Route, ...] = ()
    group_wait_s: float = 10
    storm_per_h: int = 20
    repeat_days: float = 7
    repeat_fault_h: float = 24
    base: str = ""  # where the pages are, for links

    def hearing(self, pilot: str, kind: str, series: str, severity: str) -> list[str]:
        """The channels that are told.

        What concerns Periscope itself goes to channels that hear every pilot or, if there is none, to all; a channel
        that does not deliver is never told of itself.

        >>> Routes((Route("ops"), Route("north", pilots=("malmo",)))).hearing("genoa", "drop_off", "", "notice")
        ['ops']
        """
        if pilot == SYSTEM:
            others = [one for one in self.routes if kind != FAILING or one.channel != series]
            return [one.channel for one in others if not one.pilots and _wants(one, kind, severity)] or [
                one.channel for one in others
            ]
        return [
            one.channel
            for one in self.routes
            if (not one.pilots or pilot in one.pilots) and _wants(one, kind, severity)
        ]

    def watched(self) -> list[str]:
        """The channels that get a daily sign of life."""
        return [one.channel for one in self.routes if one.watchdog]

    @property
    def channels(self) -> Sequence[str]:
        return [one.channel for one in self.routes]


NO_ROUTES: Final = Routes()


def rank(severity: str) -> int:
    """Severities in order; an unknown one counts as the middle."""
    return SEVERITIES.index(severity) if severity in SEVERITIES else 1


def _wants(route: Route, kind: str, severity: str) -> bool:
    return (not route.kinds or kind in route.kinds) and rank(severity) >= rank(route.severity)
