"""What people answered of all activities, of a stage and of a method: which answers may be told, month by month.

Promise: whatever is told, at any looks, of all, of stages, methods and pairs of both, no number of 1 to k-1 answers
follows: at the end of a month all answers are told where since they were last told none or at least k came; by stage
where so many came to each stage, and also to none; by method and pair where so many came to each pair.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from typing import Final

from pipeline.fit.batches import month_end
from pipeline.model import NS_PER_S
from pipeline.periods import ordinal

Place = tuple[str, str]
Answer = tuple[int, Place | None]  # when, and the stage and method of its activity, None where it names none
ALL: Final[Place] = ("", "")
_DAY_NS: Final = 86_400 * NS_PER_S


def places(stage: str, method: str) -> tuple[Place, ...]:
    """Where something of a stage and method is counted.

    >>> places("co_design", "survey")
    (('', ''), ('co_design', ''), ('', 'survey'), ('co_design', 'survey'))
    """
    return ALL, (stage, ""), ("", method), (stage, method)


def told_answers(answers: Sequence[Answer], last: int, k: int) -> tuple[dict[Place, list[int]], int]:
    """The numbers of the answers that may be told of each place, and the end of the month as of which; `last` is the
    last day that is over. A place of which nothing may be told is missing."""
    if k < 2:
        return _by_place(answers, range(len(answers)), pairs=True), last
    months = [month_end(_day(at_ns)) for at_ns, _ in answers]
    found: dict[Place, list[int]] = {}
    known: dict[str, set[int]] = {"all": set(), "stage": set(), "pair": set()}
    until = 0
    for end in sorted({end for end in months if end < last}):  # a day more, since days are told apart in UTC here
        now = {number for number, month in enumerate(months) if month <= end}
        if 0 < len(now - known["all"]) < k:
            continue
        known["all"], found[ALL], until = now, sorted(now), end
        if _few((answers[one][1] and answers[one][1][0] for one in now - known["stage"]), k):  # type: ignore[index]
            continue
        known["stage"] = now
        pairs = not _few((answers[one][1] for one in now - known["pair"]), k)
        known["pair"] = now if pairs else known["pair"]
        found |= _by_place(answers, sorted(now), pairs)
    return found, until


def _few(parts: Iterable[Hashable], k: int) -> bool:
    return any(count < k for count in Counter(parts).values())


def _by_place(answers: Sequence[Answer], those: Iterable[int], pairs: bool) -> dict[Place, list[int]]:
    found: dict[Place, list[int]] = {}
    for number in those:
        place = answers[number][1]
        for one in dict.fromkeys((ALL,) if place is None else places(*place)):
            if pairs or not one[1]:
                found.setdefault(one, []).append(number)
    return found


def _day(at_ns: int) -> int:
    return ordinal("1970-01-01") + at_ns // _DAY_NS
