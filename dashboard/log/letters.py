"""Pure: what the desk asks of a draft, of letters and of a pilot's feeds."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from config.catalogue import Feed, Pilot
from dashboard.log.draft import FIRST_YEAR, LAST_YEAR, Wrong
from dashboard.log.events import Stated
from dashboard.texts import _
from pipeline.logbook import Letter, Record


def feed_of(pilot: Pilot) -> Feed | None:
    """Where a pilot's records go: its first feed for what is entered by hand."""
    fitting = (
        feed for feed in pilot.feeds if feed.by_hand and feed.stream == "engagement" and feed.decoder == "cloudevents"
    )
    return next((feed for feed in fitting if not set("+#") & set(feed.topic)), None)


def not_meanwhile(known: Record | None, pilot: str, given: object) -> None:
    """Raise Wrong where a draft does not fit what is recorded under its id."""
    base = given.get("base") if isinstance(given, dict) else None
    if known is None:
        return
    if known.pilot != pilot:
        raise Wrong({"pilot": _("A record stays with its pilot; withdraw it and record it again for the other one.")})
    if known.state == "withdrawn":
        raise Wrong({"": _("This record was withdrawn meanwhile; begin a new one.")})
    if isinstance(base, int) and base != known.revision:
        raise Wrong({"": _("Somebody else corrected this record meanwhile; open it again from the list.")})


def begins_ns(fields: Mapping[str, Any], pilot: Pilot) -> int | None:
    """When the activity of a draft begins; None while its day or hour is missing, or the year is impossible."""
    try:
        when = datetime.fromisoformat(f"{fields.get('date')}T{str(fields.get('time'))[:5]}").replace(tzinfo=pilot.zone)
    except ValueError:
        return None
    if not FIRST_YEAR <= when.year <= LAST_YEAR:
        return None
    return int(when.timestamp()) * 1_000_000_000


def times_in(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {"date": str(fields["date"]), "time": str(fields["time"])[:5]}


def standing(letter: Letter) -> tuple[str, str, str]:
    """Part, place in time and day of a letter."""
    return letter.event_id.rpartition("/")[2], letter.place, letter.day


def as_stated(part: str, letter: Letter) -> Stated:
    """A letter that was sent, as far as it is still known: where it stands in time."""
    time, _sep, precision = letter.place.partition("|")
    return Stated(part=part, type=letter.type, time=time, precision=precision, day=letter.day, data={})


def codes_in(letters: Iterable[Letter]) -> Counter[str]:
    return Counter(one.code_of for one in letters if one.code_of and one.type == "attendance")
