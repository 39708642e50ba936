"""On which line of a pilot's file a key stands, since the TOML reader of Python does not say.

Promises: pure; a key that is not found, because it is written in a way not looked for, is on line 0, never on a wrong
line of another feed.
"""

import re

_TABLE = re.compile(r"^\s*\[\[?\s*([A-Za-z0-9_.\"'-]+)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"^\s*(?:\"([^\"]+)\"|'([^']+)'|([A-Za-z0-9_.-]+))\s*=")
_STRING = re.compile(r"=\s*[\"']([^\"']*)[\"']")


class Lines:
    """Lines by dotted key, as findings name them: `feeds.app.topic` is the topic of the feed with the id app."""

    def __init__(self, text: str) -> None:
        self._found: dict[str, int] = {}
        feed: dict[str, int] = {}
        name, table = "", ""
        for number, line in enumerate(text.splitlines(), 1):
            if found := _TABLE.match(line):
                table = found[1]
                if line.lstrip().startswith("[[") and table == "feeds":
                    self._keep(name, feed)
                    feed, name = {"": number}, ""
                elif table.startswith("feeds."):
                    feed.setdefault(table.removeprefix("feeds."), number)
                else:
                    self._found.setdefault(table, number)
            elif found := _KEY.match(line):
                key = found[1] or found[2] or found[3]
                if table == "feeds" and key == "id" and (text_of := _STRING.search(line)):
                    name = text_of[1]
                if table == "feeds" or table.startswith("feeds."):
                    inner = table.removeprefix("feeds").lstrip(".")
                    feed.setdefault(f"{inner}.{key}" if inner else key, number)
                else:
                    self._found.setdefault(f"{table}.{key}" if table else key, number)
        self._keep(name, feed)

    def _keep(self, name: str, feed: dict[str, int]) -> None:
        for key, number in feed.items():
            self._found.setdefault(f"feeds.{name}.{key}" if key else f"feeds.{name}", number)

    def of(self, key: str) -> int:
        """The line of a key, or of the nearest table around it; 0 when neither is found.

        >>> Lines('slug = "a"\\n[[feeds]]\\nid = "app"\\ntopic = "t"').of("feeds.app.topic")
        4
        """
        if said := re.fullmatch(r"line (\d+)", key):
            return int(said[1])
        parts = key.split(".")
        least = 2 if parts[0] == "feeds" else 1
        for length in range(len(parts), least - 1, -1):
            if number := self._found.get(".".join(parts[:length])):
                return number
        return 0
