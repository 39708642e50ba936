"""What each definition says and computes, as a digest; `definitions.json` holds those that were released.

    python -m tests.unit.pipeline.definitions              record new indicators and those whose version was raised
    python -m tests.unit.pipeline.definitions --same ID    the code of these changed and means what it meant

A digest covers the formula's words, the indicator's function, and every function, method of `Window` and constant of
`pipeline` that it reaches, without comments, docstrings and layout.
"""

import argparse
import ast
import hashlib
import inspect
import json
import textwrap
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any

from pipeline.indicators import INDICATORS, Indicator
from pipeline.indicators.window import Window

RECORDED = Path(__file__).parent / "definitions.json"
WORDS = ("formula", "window", "unit", "min_n", "interval_method", "needs", "streams", "look_back", "look_ahead")
# What many indicators stand on and tests of its own hold in place: reading days, sets of people, what is over.
GROUND = ("pipeline.history", "pipeline.sketches", "pipeline.periods", "pipeline.quality", "pipeline.rows",
          "pipeline.partials", "pipeline.usage_days", "pipeline.engagement_days",
          "pipeline.indicators.registry")  # fmt: skip
PLAIN = (str, int, float, tuple, list, dict, set, frozenset)


def digest(one: Indicator) -> str:
    """Sixteen characters that change with what an indicator says or computes."""
    said = [f"{word}={getattr(one, word)!r}" for word in WORDS]
    found: dict[str, str] = {}
    _reach(inspect.unwrap(one.compute), found)
    return hashlib.sha256("\n".join(said + [f"{key}: {found[key]}" for key in sorted(found)]).encode()).hexdigest()[:16]


def _reach(function: Any, found: dict[str, str]) -> None:
    """The code of a function of the pipeline, and of all it uses, by name."""
    function = inspect.unwrap(function)
    key = f"{function.__module__}.{function.__qualname__}"
    if key in found or function.__module__ in GROUND or not function.__module__.startswith("pipeline."):
        return
    tree = _tree(function)
    found[key] = ast.unparse(tree)
    scope = vars(inspect.getmodule(function))
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in scope:
            _take(node.id, scope[node.id], function.__module__, found)
        elif (
            isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ("window", "self")
        ):
            _method(node.attr, found)


def _take(name: str, value: Any, module: str, found: dict[str, str]) -> None:
    unwrapped = inspect.unwrap(value) if callable(value) else value
    if isinstance(unwrapped, FunctionType):
        _reach(unwrapped, found)
    elif inspect.isclass(unwrapped):
        if (
            unwrapped is not Window
            and unwrapped.__module__.startswith("pipeline.")
            and unwrapped.__module__ not in GROUND
        ):
            found[f"{unwrapped.__module__}.{unwrapped.__qualname__}"] = ast.unparse(_tree(unwrapped))
    elif isinstance(value, PLAIN) and name.isupper():
        found[f"{module}.{name}"] = repr(sorted(value, key=str) if isinstance(value, set | frozenset) else value)


def _method(name: str, found: dict[str, str]) -> None:
    member = inspect.getattr_static(Window, name, None)
    function = getattr(member, "fget", None) or getattr(member, "func", None) or member
    if isinstance(function, FunctionType):
        _reach(function, found)


@cache
def _tree(thing: Any) -> ast.AST:
    """The code of a function or class without decorators, annotations and docstrings."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(thing)))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            node.decorator_list = [one for one in node.decorator_list if "indicator" not in ast.unparse(one)]
            if ast.get_docstring(node) is not None:
                node.body = node.body[1:] or [ast.Pass()]
    return tree


def recorded() -> dict[str, tuple[int, str]]:
    """Version and digest of each indicator as it was recorded."""
    return {key: (version, sign) for key, (version, sign) in json.loads(RECORDED.read_text(encoding="utf-8")).items()}


def unraised(known: dict[str, tuple[int, str]]) -> Iterator[str]:
    """The indicators that changed and kept their version."""
    for one in INDICATORS.values():
        if one.id in known and known[one.id][0] >= one.version and known[one.id][1] != digest(one):
            yield one.id


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--same", nargs="*", default=[])
    same = set(parser.parse_args().same)
    known = recorded() if RECORDED.exists() else {}
    if changed := [one for one in unraised(known) if one not in same]:
        raise SystemExit(f"raise the version of: {', '.join(changed)} (or --same where the meaning did not change)")
    now = {one.id: (one.version, digest(one)) for one in INDICATORS.values()}
    lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(now[key])}" for key in sorted(now))  # one line each, to merge
    RECORDED.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
