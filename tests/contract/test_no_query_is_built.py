"""No query is put together from parts while the store runs: statements are constants, values are bound."""

import ast
from pathlib import Path

import pytest

SOURCES = sorted((Path(__file__).parents[2] / "pipeline" / "store").glob("*.py"))
ASKING = {"execute", "executemany", "executescript", "rows", "_ask", "query_raw", "query", "query_stream"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_what_is_asked_is_a_name_or_a_constant(path: Path) -> None:
    built = [
        f"line {call.lineno}: {ast.unparse(call)}"
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in ASKING
        if any(isinstance(part, ast.JoinedStr | ast.BinOp | ast.Call) for part in ast.walk(call.args[0]))
    ]
    assert built == []


def test_the_rule_would_find_a_built_query() -> None:
    for text in ('c.execute(f"x {y}")', 'c.execute("x" + y)', 'c.execute("%s" % y)', 'c._ask("{}".format(y))'):
        call = ast.parse(text).body[0].value  # type: ignore[attr-defined]
        assert any(isinstance(part, ast.JoinedStr | ast.BinOp | ast.Call) for part in ast.walk(call.args[0]))
