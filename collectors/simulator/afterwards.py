"""After an activity: what made it hard, what to do so or differently, and what the city makes of what people gave."""

from collections.abc import Sequence
from typing import Any

from collectors.simulator.activities import Activity
from collectors.simulator.chance import rng_of
from collectors.simulator.world import City

# What each method tends to meet, and what its organisers tend to learn; codes of config/vocabulary.toml.
_OFTEN = {
    "open_meeting": ("narrow_participation", "go_to_people"),
    "public_consultation": ("low_trust", "give_feedback"),
    "open_innovation": ("lack_of_time", "use_prototypes"),
    "citizen_science": ("technology", "simpler_tools"),
    "civic_monitoring": ("silos", "involve_deciders"),
    "information_and_data": ("access", "plain_language"),
    "participatory_budgeting": ("administrative_rules", "clear_mandate"),
    "representative_deliberation": ("lack_of_money", "pay_expenses"),
}
_ANY = (("lack_of_staff", "start_earlier"), ("low_turnout", "mix_methods"))
_TYPICAL, _OTHER = 0.6, 0.2
_TREATED = 0.7  # share of what people gave of which it is recorded what became of it
LATEST_DAYS = 42  # the city has answered by then, if ever


def met(city: City, activity: Activity) -> dict[str, Any]:
    """`obstacles` and `lessons` of an activity; drawn apart, so that nothing else of the city depends on them."""
    rng = rng_of(city.seed, city.pilot.slug, "afterwards", activity.id)
    pairs = [(_OFTEN[activity.method], _TYPICAL)] if activity.method in _OFTEN else []
    pairs += [(pair, _OTHER) for pair in _ANY]
    obstacles = [obstacle for (obstacle, _), share in pairs if rng.random() < share]
    lessons = [lesson for (_, lesson), share in pairs if rng.random() < share]
    return {"obstacles": obstacles, "lessons": lessons}


def replies(city: City, activity: Activity, given: Sequence[str]) -> list[tuple[int, float, str, dict[str, Any]]]:
    """The published answer to an activity's contributions, and what became of each: day, part of day, type, data.

    Shares are those that are planted for the city (`Truth.voice`), whatever the method.
    """
    if not given:
        return []
    rng = rng_of(city.seed, city.pilot.slug, "replies", activity.id)
    voice = city.truth.voice(city.pilot.slug)
    day = activity.day + min(city.habit.answer_lag_days + int(rng.integers(0, 7)), LATEST_DAYS)
    found: list[tuple[int, float, str, dict[str, Any]]] = []
    if answered := [one for one in given if rng.random() < voice.answered]:
        found.append((day, 0.46, "response.published", {"contribution_ids": answered}))
    for place, one in enumerate(given):
        if rng.random() < _TREATED:
            taken = rng.random() < voice.taken_up
            word = str(rng.choice(("adopted", "adapted") if taken else ("deferred", "rejected")))
            reason = "fits-plan" if taken else "budget"
            fate = {"contribution_id": one, "disposition": word, "reason": reason, "recorded_by": "city"}
            found.append((day, 0.5 + 0.0005 * place, "contribution.disposition", {"activity_id": activity.id, **fate}))
    return found
