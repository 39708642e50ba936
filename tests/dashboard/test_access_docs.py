"""docs/access.md says what the code does."""

import re

from config.roles import ROLES
from config.settings import Settings
from dashboard.access import rules
from dashboard.texts import _
from tests.command import ROOT

PAGE = (ROOT / "docs/access.md").read_text()


def test_the_table_of_roles_is_that_of_the_rules() -> None:
    told = dict(re.findall(r"^\| (viewer|operator|evaluator|admin) \| (.+) \|$", PAGE, re.MULTILINE))
    assert list(told) == list(ROLES)
    for role in ROLES:
        assert told[role] == ", ".join(words for need, words in rules.WORDS.items() if need in rules.GRANTS[role])


def test_every_variable_that_the_page_names_is_a_setting() -> None:
    names = re.findall(r"PERISCOPE_([A-Z_]+)", PAGE)
    assert len(names) > 15
    for name in names:
        group, _found, key = name.lower().partition("__")
        field = Settings.model_fields[group]
        if key:
            assert key in field.annotation.model_fields, name  # type: ignore[union-attr]


def test_every_message_that_the_page_explains_is_one_of_the_dashboard() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "dashboard/access").glob("*.py"))
    explained = re.findall(r'^\| "([^"]+)" \|', PAGE, re.MULTILINE)
    assert len(explained) == 6
    for message in explained:
        assert _(message) in sources, message


def test_every_command_that_the_page_names_is_one() -> None:
    from config.arguments import build_parser

    parser = build_parser({"users": ""})
    for line in re.findall(r"^periscope (users .+?)(?:\s{2,}#.*)?$", PAGE, re.MULTILINE):
        parser.parse_args(line.split())
