"""What the findings mean, for page *Definitions*: each is computed by rules that no single indicator holds."""

from dataclasses import dataclass

from dashboard.texts import _


@dataclass(frozen=True)
class Told:
    """One section: its address on the page, its title, and terms with what is said of them."""

    id: str
    title: str
    rows: list[tuple[str, str]]


def sections() -> list[Told]:
    """All sections, in the order of the pages."""
    return [*_methods(), *_decisions(), *_uptake()]


def _methods() -> list[Told]:
    return [
        Told(
            "method-fit",
            _("Method fit"),
            [
                (
                    _("What"),
                    _("What came of the activities of a method, tool, technique or skill, per pilot and stage."),
                ),
                (
                    _("Figures"),
                    _(
                        "Attendance is the median per activity. Shares are of registrations (no-shows), of "
                        "contributions followed for 30 days (answered), of inputs with a known fate (adopted), of "
                        "answers to the questionnaire (perceived) and of skills needed (skills met)."
                    ),
                ),
                (_("Least n"), _("5 activities; below that a cell has no figure.")),
                (
                    _("P(best)"),
                    _(
                        "The share of redrawn samples of activities in which the method comes out best of those "
                        "used in that pilot, with the interval of that share. It describes one pilot."
                    ),
                ),
                (_("Comparable"), _("Within a pilot only: pilots differ in service, public and season.")),
            ],
        ),
        Told(
            "one-size",
            _("Does one size fit all?"),
            [
                (_("Question"), _("Do methods differ from pilot to pilot in how well they do, beyond chance?")),
                (
                    _("Test"),
                    _(
                        "The method × pilot interaction, with labels permuted within each pilot; p-values are "
                        "corrected for the number of figures tested (Holm)."
                    ),
                ),
                (
                    _("Caution"),
                    _(
                        "No difference shown is not no difference. Six pilots are six units: nothing is said of "
                        "other cities."
                    ),
                ),
            ],
        ),
        Told(
            "skills",
            _("Skills needed and present"),
            [
                (_("Share"), _("Of the activities that needed a skill, those in which it was recorded as present.")),
                (_("Level"), _("The median of assessments from 1 to 5, where there are enough assessors.")),
            ],
        ),
        Told(
            "codes",
            _("Obstacles and lessons"),
            [
                (_("What"), _("How often each code was recorded with an activity or in a questionnaire.")),
                (_("Caution"), _("Not recorded does not mean that there was none.")),
            ],
        ),
    ]


def _decisions() -> list[Told]:
    return [
        Told(
            "roles",
            _("Roles in decisions"),
            [
                (
                    _("Share"),
                    _("Of the closed decisions of a pilot and stage, those in which a group is recorded in a role."),
                ),
                (_("Roles"), _("Informed, consulted, deliberated, co-decider, decider; a group may have several.")),
                (_("Least n"), _("5 decisions.")),
            ],
        ),
        Told(
            "stage-groups",
            _("Who took part at which stage"),
            [
                (
                    _("What"),
                    _(
                        "People of a group who took part in activities of a stage; attendances where people cannot be "
                        "told apart. Counts are of those told apart within a stage and do not add up over stages."
                    ),
                ),
                (_("Hidden"), _("Counts of few people, and others from which they could be worked out.")),
            ],
        ),
    ]


def _uptake() -> list[Told]:
    return [
        Told(
            "retention",
            _("Retention triangle"),
            [
                (_("Cohort"), _("People whose first core action, over all history, falls in an ISO week.")),
                (_("In that week"), _("The share active in exactly that later week.")),
                (
                    _("Or later"),
                    _("The share active in that week or any later one; it still rises while time goes on."),
                ),
                (_("Grey"), _("The week is not over, or late events may still arrive.")),
            ],
        ),
        Told(
            "impact",
            _("Impact verdicts"),
            [
                (_("Target"), _("Declared in the pilot's file with a date, a direction and at times a value.")),
                (
                    _("Moved as intended"),
                    _("The change has the declared direction and its interval excludes no change."),
                ),
                (_("Did not"), _("The values are there, and the change is not shown to have that direction.")),
                (
                    _("Cannot tell"),
                    _("A value is missing, hidden or on incomplete feeds, or the target was declared late."),
                ),
            ],
        ),
        Told(
            "revisions",
            _("Revisions"),
            [
                (
                    _("Closed"),
                    _("A value of a period that is over, and of which all days are in, is published and then frozen."),
                ),
                (
                    _("Revision"),
                    _(
                        "What changes a published value afterwards - late or corrected events, an erased person, a "
                        "changed definition - makes a numbered revision with its reason, and never rewrites silently."
                    ),
                ),
                (
                    _("Withheld"),
                    _("The value before, where the two numbers beside each other would tell of few people."),
                ),
            ],
        ),
        Told(
            "effects",
            _("Effects of engagement on uptake"),
            [
                (
                    _("Conditions"),
                    _(
                        "a: dated and recorded before the outcome. b: timed by calendar or funding, not by low use. "
                        "c: at least 26 complete weeks before (52 if seasonal) and 8 after. d: no release, outage, "
                        "holiday, price or definition change nearby. e: windows do not overlap. f: attendees' own "
                        "use of the day is left out. g: feeds at least 90 % complete throughout. h: outcome and "
                        "window declared beforehand."
                    ),
                ),
                (_("Estimate"), _("Given only when all eight hold.")),
                (
                    _("Test"),
                    _(
                        "Against placebo dates or circular shifts; p-values are corrected for the number of tests "
                        "(Holm)."
                    ),
                ),
                (
                    _("Wording"),
                    _(
                        "L0: before and after. L1: larger than at k of K placebo dates. L2: a change of level or "
                        "slope. L3: the same, and not in a control series. Nothing below L3 says that one "
                        "caused the other."
                    ),
                ),
            ],
        ),
    ]
