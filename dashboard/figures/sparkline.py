"""The last hour as 60 small bars, as an SVG mask: its colour is that of the page, so it fits both schemes."""

from collections.abc import Sequence
from urllib.parse import quote

_WIDTH, _HEIGHT = 4, 40


def bars(counts: Sequence[int]) -> str:
    """A CSS `url()` of the bars, the highest one filling the height; a minute without events is a thin line.

    >>> bars([0, 2, 1]).startswith("url(\\"data:image/svg+xml,")
    True
    """
    top = max([1, *counts])
    drawn = []
    for at, count in enumerate(counts):
        height = max(1.0, round(_HEIGHT * count / top, 1))
        drawn.append(f"M{at * _WIDTH} {_HEIGHT}v-{height:g}h3v{height:g}z")
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {max(1, len(counts)) * _WIDTH} {_HEIGHT}" '
        f'preserveAspectRatio="none"><path d="{"".join(drawn)}"/></svg>'
    )
    return f'url("data:image/svg+xml,{quote(svg, safe=" =:/.")}")'
