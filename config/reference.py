"""Pages that are made from the code: every setting, and every verb of the command line. `make docs` writes them."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from config.settings import PACKAGED_PILOTS, Settings

_SHARED = {"help", "catalogue", "state", "set", "json"}
_SOURCES = """\
Every setting has a default, so nothing has to be set. Sources, strongest first:

1. the command line: `--set mqtt.port=1884`, and `--catalogue` and `--state`;
2. environment variables, as named here;
3. a file `.env` in the working directory (`config/example.env` is a template);
4. `periscope.toml` in the working directory, or the file that `PERISCOPE_CONFIG` names;
5. secret files: one per variable, named like it, in the folder that `PERISCOPE_SECRETS_DIR` names.
"""


def settings_page() -> str:
    """docs/settings.md: a table of all settings."""
    lines = ["# Settings", "", "Made by `make docs` from `config/settings.py`.", "", _SOURCES]
    group = ""
    for key, field in _fields(Settings):
        head = key.rpartition(".")[0]
        if head != group or key == "catalogue":
            title, about = (head, _doc(Settings.model_fields[head].annotation)) if head else ("General", "")
            lines += [f"## {title}", "", *([about, ""] if about else [])]
            lines += ["| variable | default | bounds | what it is |", "|---|---|---|---|"]
            group = head
        lines.append(
            f"| `{_variable(key)}` | {_code(_default(field))} | {_bounds(field)} | {_cell(str(field.description))} |"
        )
        if _is_last(key):
            lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def example_env() -> str:
    """config/example.env: every setting, commented out, with its default."""
    lines = [
        "# Made by `make docs` from config/settings.py. Copy to .env and take the mark away from what you change.",
        "# Secrets are better kept in files: see docs/settings.md.",
    ]
    for key, field in _fields(Settings):
        bounds = _bounds(field)
        about = f"# {field.description}" + (f" ({bounds})" if bounds else "")
        lines += ["", about, f"#{_variable(key)}={_default(field)}"]
    return "\n".join(lines) + "\n"


def cli_page(parser: argparse.ArgumentParser) -> str:
    """docs/cli.md: the verbs and their arguments."""
    verbs = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    lines = ["# Command line", "", "Made by `make docs` from `config/arguments.py`.", "", f"{parser.epilog}", ""]
    lines += ["Every verb also takes `--catalogue DIR`, `--state DIR`, `--set KEY=VALUE` (any setting of",
              "[settings](settings.md)) and `--json`.", ""]  # fmt: skip
    for name, verb in verbs.choices.items():
        own = [action for action in verb._actions if action.dest not in _SHARED]
        lines += [f"## periscope {name}", "", str(verb.description), ""]
        rows = [f"| {_code(_spelling(action))} | {_cell(str(action.help))} |" for action in own]
        lines += ["| argument | what it is |", "|---|---|", *rows, ""] if rows else []
    return "\n".join(lines).rstrip() + "\n"


def _spelling(action: argparse.Action) -> str:
    value = action.metavar or (f"{{{','.join(map(str, action.choices))}}}" if action.choices else action.dest.upper())
    if not action.option_strings:
        return f"{value}" + (" ..." if action.nargs == "+" else "")
    return action.option_strings[0] + ("" if action.nargs == 0 else f" {value}")


def _fields(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Settings of this level, then those of its groups."""
    groups = []
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            groups.append((name, kind))
        else:
            yield f"{prefix}{name}", field
    for name, kind in groups:
        yield from _fields(kind, f"{prefix}{name}.")


def _is_last(key: str) -> bool:
    head = key.rpartition(".")[0]
    return key == [other for other, _ in _fields(Settings) if other.rpartition(".")[0] == head][-1]


def _variable(key: str) -> str:
    return "PERISCOPE_" + key.upper().replace(".", "__")


def _default(field: FieldInfo) -> str:
    value = field.default
    if isinstance(value, SecretStr) or value is None or value == []:
        return ""
    if value == PACKAGED_PILOTS:
        # Wherever Periscope is installed, so that the page is the same on every machine.
        return "config/pilots"
    return str(value) if isinstance(value, str | int | float | Path) else repr(value)


def _bounds(field: FieldInfo) -> str:
    kind: Any = field.annotation
    if get_origin(kind) is Literal:
        return " or ".join(str(choice) for choice in get_args(kind))
    found = []
    for bound in field.metadata:
        match bound:
            case Ge(ge=low):
                found.append(f"at least {low}")
            case Gt(gt=low):
                found.append(f"more than {low}")
            case Le(le=high):
                found.append(f"at most {high}")
            case Lt(lt=high):
                found.append(f"less than {high}")
    return ", ".join(found)


def _doc(kind: Any) -> str:
    return str(kind.__doc__).strip().splitlines()[0]


def _code(text: str) -> str:
    return f"`{_cell(text)}`" if text else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
