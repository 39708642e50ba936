"""What organisers note after an activity: what made it hard, and what should be done so, or differently, next time."""

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


def met(city: City, activity: Activity) -> dict[str, Any]:
    """`obstacles` and `lessons` of an activity; drawn apart, so that nothing else of the city depends on them."""
    rng = rng_of(city.seed, city.pilot.slug, "afterwards", activity.id)
    pairs = [(_OFTEN[activity.method], _TYPICAL)] if activity.method in _OFTEN else []
    pairs += [(pair, _OTHER) for pair in _ANY]
    obstacles = [obstacle for (obstacle, _), share in pairs if rng.random() < share]
    lessons = [lesson for (_, lesson), share in pairs if rng.random() < share]
    return {"obstacles": obstacles, "lessons": lessons}
