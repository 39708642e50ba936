"""The colours: one hue per pilot in both schemes, a few neutrals, three states.

Every hue has at least 4.5:1 contrast on its scheme's card, and no two hues of one scheme fall together for people with
protanopia, deuteranopia or tritanopia (`tests/dashboard/test_palette.py`). Colour never carries a meaning alone.
"""

import base64
import hashlib
from dataclasses import dataclass
from typing import Final

# Before anything is drawn: the reader's own choice, else that of the system. No flash of the other scheme.
SCHEME_SCRIPT: Final = (
    '(function(){var s=null;try{s=localStorage.getItem("mantine-color-scheme-value")}catch(e){}'
    'if(s!=="light"&&s!=="dark"){s=matchMedia("(prefers-color-scheme: dark)").matches?"dark":"light"}'
    'document.documentElement.setAttribute("data-mantine-color-scheme",s)})();'
)


@dataclass(frozen=True)
class Scheme:
    """The colours of one scheme, light or dark."""

    name: str
    page: str
    card: str
    sunken: str
    line: str
    ink: str
    quiet: str
    accent: str
    good: str
    warn: str
    bad: str
    warn_ground: str
    info_ground: str
    hues: tuple[str, ...]

    def hue(self, index: int) -> str:
        """The hue of the pilot at this place of the catalogue."""
        return self.hues[index % len(self.hues)]


LIGHT: Final = Scheme(
    name="light",
    page="#f5f6f4",
    card="#ffffff",
    sunken="#eef0ed",
    line="#dcdfda",
    ink="#1a2027",
    quiet="#59626d",
    accent="#1f4f7a",
    good="#1d6b3f",
    warn="#8a5200",
    bad="#a8201a",
    warn_ground="#fdf3e0",
    info_ground="#e9f0f6",
    hues=("#2b69c9", "#8f2b06", "#00756a", "#4c1a6b", "#8d6600", "#bb3480"),
)
DARK: Final = Scheme(
    name="dark",
    page="#12161b",
    card="#1a1f26",
    sunken="#222831",
    line="#333b46",
    ink="#e8ebee",
    quiet="#a3adb9",
    accent="#8fc1ea",
    good="#6cc894",
    warn="#e6b25c",
    bad="#ff8f85",
    warn_ground="#2e2616",
    info_ground="#1c2a38",
    hues=("#4f93f0", "#e8743a", "#3cc9a7", "#d5c6fb", "#f0d26a", "#e873b0"),
)
SCHEMES: Final = {scheme.name: scheme for scheme in (LIGHT, DARK)}


def scheme(name: object) -> Scheme:
    """The scheme of that name; light for anything else, since the name comes from a browser."""
    return DARK if name == DARK.name else LIGHT


def as_css() -> str:
    """Both schemes as CSS variables, so that the colours are written down once."""
    return "".join(
        f':root[data-mantine-color-scheme="{one.name}"]{{{_variables(one)}color-scheme:{one.name}}}'
        for one in SCHEMES.values()
    )


def as_css_without_script() -> str:
    """The same for a page on which no script may run: the system's scheme, unless the script has set another."""
    light, dark = _variables(LIGHT), _variables(DARK)
    return (
        f":root{{{light}color-scheme:light}}"
        f"@media (prefers-color-scheme: dark){{:root{{{dark}color-scheme:dark}}}}{as_css()}"
    )


def script_hash() -> str:
    """How the content security policy names SCHEME_SCRIPT."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(SCHEME_SCRIPT.encode()).digest()).decode()}'"


def _variables(one: Scheme) -> str:
    plain = (
        "page",
        "card",
        "sunken",
        "line",
        "ink",
        "quiet",
        "accent",
        "good",
        "warn",
        "bad",
        "warn_ground",
        "info_ground",
    )
    names = "".join(f"--p-{name.replace('_', '-')}:{getattr(one, name)};" for name in plain)
    return names + "".join(f"--hue-{index}:{colour};" for index, colour in enumerate(one.hues))
