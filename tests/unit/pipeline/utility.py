"""How much is hidden in the simulated cities of what rests on sums and on those who take part, month by month.

Run `python -m tests.unit.pipeline.utility`; the figures are in docs/privacy.md.
"""

from collections import Counter
from collections.abc import Iterable

from pipeline import release_rules
from pipeline.history import History
from pipeline.indicators.evaluate import evaluate
from pipeline.periods import iso, periods_between
from pipeline.release_book import Book
from tests.unit.pipeline.towns import simulated
from tests.unit.simulator.telling import MAIN_SEED, NOW, packaged

K = 5
IDS = ("channel-mix", "task-success", "perceived-influence", "satisfaction-top-2", "contributions-each", "contributors")


def months(history: History) -> Counter[tuple[str, str]]:
    """How often each indicator and its parts have a value in a month that is over, and how often they would have."""
    span = history.span(NOW)
    assert span is not None
    book, found = Book(history, NOW, K), Counter[tuple[str, str]]()
    for period in list(periods_between("month", iso(span[0]), iso(span[1])))[:-1]:
        _count(found, "released", history, period, book)
        rules = {one: release_rules.RULES.pop(one) for one in IDS}
        _count(found, "single figures", history, period, book)
        release_rules.RULES.update(rules)
    return found


def _count(found: Counter[tuple[str, str]], how: str, history: History, period: object, book: Book) -> None:
    for value in evaluate(history, period, NOW, K, IDS, book):  # type: ignore[arg-type]
        found[f"{value.indicator}{' of parts' if value.dim else ''}", how] += value.value is not None


def main() -> None:
    found = sum((months(simulated(one, MAIN_SEED, NOW)) for one in packaged().pilots.values()), Counter())
    for name in _names(found):
        print(f"{name}: {found[name, 'released']} months told, {found[name, 'single figures']} by single figures")


def _names(found: Iterable[tuple[str, str]]) -> list[str]:
    return sorted({name for name, _ in found})


if __name__ == "__main__":
    main()
