"""Colours that can be told apart and read."""

from itertools import combinations
from math import dist

import pytest

from dashboard.palette import SCHEMES, Scheme

Matrix = tuple[tuple[float, float, float], ...]
# Machado, Oliveira and Fernandes 2009, severity 1.
VISION: dict[str, Matrix] = {
    "usual": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
BOTH = pytest.mark.parametrize("scheme", SCHEMES.values(), ids=lambda one: one.name)


def linear(colour: str) -> list[float]:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def luminance(colour: str) -> float:
    red, green, blue = linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, two: str) -> float:
    low, high = sorted([luminance(one), luminance(two)])
    return (high + 0.05) / (low + 0.05)


def oklab(colour: str, vision: Matrix) -> tuple[float, float, float]:
    """Where a colour lies for an eye, in a space of equal differences (Ottosson 2020)."""
    seen = linear(colour)
    r, g, b = (min(1.0, max(0.0, sum(k * part for k, part in zip(row, seen, strict=True)))) for row in vision)
    l = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b) ** (1 / 3)  # noqa: E741
    m = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b) ** (1 / 3)
    s = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b) ** (1 / 3)
    return (0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
            1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
            0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s)  # fmt: skip


@BOTH
def test_every_text_colour_has_enough_contrast_on_every_ground(scheme: Scheme) -> None:
    for ground in (scheme.page, scheme.card, scheme.sunken):
        for text in (scheme.ink, scheme.quiet, scheme.accent, scheme.good, scheme.warn, scheme.bad):
            assert contrast(text, ground) >= 4.5, (text, ground)
    assert contrast(scheme.warn, scheme.warn_ground) >= 4.5
    assert contrast(scheme.quiet, scheme.warn_ground) >= 4.5


@BOTH
def test_every_hue_has_enough_contrast_on_a_card(scheme: Scheme) -> None:
    assert all(contrast(hue, scheme.card) >= 4.5 for hue in scheme.hues)


@BOTH
@pytest.mark.parametrize("vision", VISION.values(), ids=VISION)
def test_no_two_hues_fall_together(scheme: Scheme, vision: Matrix) -> None:
    for one, two in combinations(scheme.hues, 2):
        assert dist(oklab(one, vision), oklab(two, vision)) > 0.04, (one, two)
