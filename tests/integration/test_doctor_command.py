"""`periscope doctor` as a process, and its page."""

import json
import re
from pathlib import Path

import pytest

from collectors.doctor.finding import CODES, Finding
from tests.command import ROOT, periscope
from tests.integration.doctor_site import broker, told
from tests.journey import AIR_QUALITY, Journey, embedded
from tests.services.mosquitto import Mosquitto

PAGE = (ROOT / "docs/doctor.md").read_text()


def test_the_page_explains_each_finding_with_its_remedy() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| (.+) \| (.+) \|$", PAGE, re.MULTILINE)
    assert sorted(code for code, _, _ in rows) == sorted(CODES)
    assert all(len(why) > 20 and len(remedy) > 5 for _, why, remedy in rows)
    assert re.findall(r"^\| `([a-z]+)` \| [^|]+ \|$", PAGE, re.MULTILINE) == ["problem", "warn", "unknown", "ok"]


def test_each_code_is_used_and_has_a_test_that_makes_its_fault() -> None:
    code = "".join(path.read_text() for path in (ROOT / "collectors/doctor").glob("*.py") if path.name != "finding.py")
    tests = "".join(path.read_text() for path in (ROOT / "tests/integration").glob("test_doctor_*.py"))
    for name in CODES:
        assert f'"{name}"' in code, name
        assert f'"{name}"' in tests, name


def test_a_finding_without_remedy_or_of_no_known_code_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="remedy"):
        Finding("problem", "disk", "the disk is full")
    with pytest.raises(ValueError, match="known code"):
        Finding("ok", "weather", "it rains")


def test_a_sound_installation_ends_with_0_and_names_what_cannot_be_told(tmp_path: Path, mosquitto: Mosquitto) -> None:
    journey = Journey(tmp_path, mosquitto, AIR_QUALITY, embedded())
    with journey.collecting():
        done = periscope("doctor", cwd=tmp_path, **journey.settings)
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stdout
    assert re.fullmatch(r"0 problems, \d+ warnings, \d+ not to be told, \d+ in order", lines[-1])
    assert "ok      queue: all 2000 messages sent while a client was away came back" in lines
    assert any(line.startswith("unknown persistence: ") for line in lines)
    assert lines[lines.index(next(line for line in lines if line.startswith("unknown"))) + 1].startswith("        do: ")


def test_a_problem_ends_with_1(tmp_path: Path) -> None:
    with broker(tmp_path, ("max_queued_messages 2000000", "max_queued_messages 1000")) as service:
        done = periscope("doctor", "--json", cwd=tmp_path, state=tmp_path / "state", mqtt__port=service.port)
    assert done.returncode == 1
    (found,) = told(done.stdout, "queue")
    assert found["level"] == "problem"
    assert "max_queued_messages" in found["remedy"]
    assert {one["code"] for one in json.loads(done.stdout)} <= CODES.keys()
    assert not (tmp_path / "state").exists()


def test_a_catalogue_with_mistakes_is_told(tmp_path: Path) -> None:
    (tmp_path / "pilots").mkdir()
    text = (ROOT / "config/pilots/bremen.toml").read_text().replace("pilots/bremen/", "pilots/genoa/", 1)
    (tmp_path / "pilots/bremen.toml").write_text(text)
    done = periscope("doctor", "--json", cwd=tmp_path, catalogue=tmp_path / "pilots", mqtt__port=1)
    (found,) = told(done.stdout, "catalogue")
    assert found["level"] == "problem"
    assert "periscope lint" in found["remedy"]
    assert [one["level"] for one in told(done.stdout, "broker")] == ["problem"]
