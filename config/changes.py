"""What a changed catalogue alters: pilots and feeds that come, go or differ, and what follows from it.

Promises: values of a file are not repeated, only the names of what differs; an earlier state is read from a folder, or
from Git without touching the working tree.
"""

import io
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from config.catalogue import Catalogue, Feed, Pilot
from config.problems import ConfigError, Problem

_RECOMPUTED = "every value of the pilot is computed again from its events"
_SHOWN = "pages show it at their next start"
_JUDGED = "completeness of past days is judged again"
# What follows from a change of one key; other keys have no consequence beyond the recomputation.
_FEED = {
    "topic": "the collector leaves the old topic at its next start; what is still sent there is no event any more",
    "stream": "stored events stay in the old stream and are no longer counted in it; import them again",
    "decoder": "only messages from now on are read anew; requeue dead letters that waited for this",
    "preset": "only messages from now on are read anew; requeue dead letters that waited for this",
    "map": "only messages from now on are read anew; a new unit or factor makes a step in the series",
    "expect_every": _JUDGED,
    "heartbeat_every": _JUDGED,
    "devices": _JUDGED,
    "lateness": "periods close earlier or later; those already closed stay as they were published",
    "accept_since": "events from that day on are accepted from now on; what was refused has to be sent again",
    "until": "the feed is no longer missed after that day, and what it brought is not in the series that alerts judge",
    "synthetic": "only events from now on are marked, or no longer, as simulated",
    "consent": "only events from now on are counted by person, or no longer are",
    "person_id": "only messages from now on are told apart by person; the id itself reaches no disk",
    "drop": "only messages from now on are dropped, or kept",
    "extra_types": "only events from now on are taken, or refused; requeue dead letters that waited for this",
}
_COMMON = {"disclosure_k": "numbers of few people are hidden by another limit on all pages and exports"}
_PILOT = {
    "time_zone": "days and months begin at another moment; " + _RECOMPUTED,
    "service": _RECOMPUTED,
    "core_types": _RECOMPUTED,
    "excluded": _RECOMPUTED,
    "denominators": "rates per 1,000 are computed again for all periods",
    "calendar": "drop-offs are judged again without the days that are left out now",
    "limits": "hours above a limit are counted again for all periods",
    "targets": "a target that changes after it was declared proves less; say so where it is shown",
    "effects": "only activities after the day of declaration can be judged by it",
    "synthetic": "the mark of simulated data is shown or hidden for the whole pilot",
}


@dataclass(frozen=True)
class Change:
    """One difference: which file, which key, how it differs and what follows."""

    place: str
    key: str
    how: Literal["added", "removed", "changed"]
    consequence: str

    def __str__(self) -> str:
        return f"{self.how}: {self.place}{self.key and ': ' + self.key}: {self.consequence}"

    def facts(self) -> dict[str, str]:
        return asdict(self)


def changes(old: Catalogue, new: Catalogue) -> list[Change]:
    """Every difference, in the order of the files."""
    found: list[Change] = []
    for name in _differing(old.common, new.common):
        found.append(Change("catalogue.toml", name, "changed", _COMMON.get(name, _SHOWN)))
    for slug in sorted(old.pilots.keys() | new.pilots.keys()):
        before, after = old.pilots.get(slug), new.pilots.get(slug)
        if before is None:
            found.append(Change(
                f"{slug}.toml", "", "added",
                "give it a user of the broker (deploy/prepare.sh) and restart collector, pipeline and dashboard",
            ))  # fmt: skip
        elif after is None:
            found.append(Change(
                f"{slug}.toml", "", "removed",
                "its messages become dead letters (unknown_pilot) and pages no longer show it; stored events stay",
            ))  # fmt: skip
        else:
            found += _pilot(before, after)
    return found


def _pilot(before: Pilot, after: Pilot) -> Iterator[Change]:
    place = f"{after.slug}.toml"
    for name in _differing(before, after):
        if name != "feeds":
            yield Change(place, name, "changed", _PILOT.get(name, _SHOWN))
    feeds = {feed.id: feed for feed in before.feeds}, {feed.id: feed for feed in after.feeds}
    for feed_id in dict.fromkeys([*feeds[0], *feeds[1]]):
        old, new = feeds[0].get(feed_id), feeds[1].get(feed_id)
        if old is None and new is not None:
            yield Change(
                place, f"feeds.{feed_id}", "added",
                f"the collector takes {new.topic} from its next start on; requeue what became a dead letter before",
            )  # fmt: skip
        elif new is None and old is not None:
            yield Change(
                place, f"feeds.{feed_id}", "removed",
                f"what comes on {old.topic} is no event any more; stored events stay and still count",
            )  # fmt: skip
        elif old is not None and new is not None:
            yield from _feed(place, old, new)


def _feed(place: str, old: Feed, new: Feed) -> Iterator[Change]:
    for name in _differing(old, new):
        yield Change(place, f"feeds.{new.id}.{name}", "changed", _FEED.get(name, _RECOMPUTED))


def _differing(old: BaseModel, new: BaseModel) -> list[str]:
    return [name for name in type(new).model_fields if getattr(old, name) != getattr(new, name)]


@contextmanager
def earlier(folder: Path, revision: str) -> Iterator[Path]:
    """The folder of an earlier state: `revision` is another folder, or a revision of Git that holds `folder`."""
    if Path(revision).is_dir():
        yield Path(revision)
        return
    wrong = Problem("--against", revision, f"is no folder and no revision of Git that holds {folder}",
                    "give a folder of pilot files, or a revision such as HEAD or main")  # fmt: skip
    if revision.startswith("-"):
        raise ConfigError([wrong])
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), "archive", "--format=tar", revision, "."], capture_output=True, check=False
        )
    except OSError:
        raise ConfigError([wrong]) from None
    if done.returncode:
        raise ConfigError([wrong])
    with tempfile.TemporaryDirectory(prefix="periscope-") as made:
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
            archive.extractall(made, filter="data")
        yield Path(made)
