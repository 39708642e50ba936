"""Decoders against payloads as standards and projects publish them; the recorded files are not in the repository."""

import json
from pathlib import Path
from typing import Any

import cbor2
import pytest

from collectors.decoders import senml
from collectors.decoders.limits import parse_value

SENML = [f"ex{number}" for number in range(1, 8)]
_LABELS = {label: number for number, label in senml._LABELS.items()}


def _resolved(pack: list[dict[str, Any]], now_s: float) -> list[dict[str, Any]]:
    """Records in the resolved form of RFC 8428; a record of bytes is left out there."""
    rows = []
    for record in senml.resolved(pack):
        kind = "vb" if isinstance(record.value, bool) else "vs" if isinstance(record.value, str) else "v"
        time_s = record.time_s if record.own_time else now_s + record.time_s
        row = {"n": record.name, "u": record.unit, "t": pytest.approx(time_s, abs=1e-6), kind: record.value}
        rows.append({key: value for key, value in row.items() if value is not None})
    return [row for row in rows if set(row) - {"n", "u", "t"}]


@pytest.mark.parametrize("name", SENML)
@pytest.mark.parametrize("binary", [False, True], ids=["json", "cbor"])
def test_senml_is_resolved_as_the_standard_says(data_dir: Path, name: str, binary: bool) -> None:
    folder = data_dir / "payloads/senml"
    expected = json.loads((folder / f"{name}.gen.resolved.json").read_bytes())
    pack = parse_value((folder / f"{name}.json").read_bytes())
    if binary:
        pack = cbor2.loads(cbor2.dumps([{_LABELS[label]: value for label, value in row.items()} for row in pack]))
    assert _resolved(pack, expected[0]["t"]) == expected
