"""The vocabulary has a sentence for every code, holds what the simulator says, and takes a catalogue's own words."""

from pathlib import Path

import pytest

from collectors.simulator import afterwards, engagement, script
from collectors.simulator.activities import STAGES
from collectors.simulator.truth import TRUTH
from config.catalogue import load_catalogue
from config.problems import ConfigError
from config.vocabulary import load_vocabulary

PILOT = """
slug = "lund"
name = "Lund"
country = "SE"
time_zone = "Europe/Stockholm"

[[feeds]]
id = "app"
topic = "pilots/lund/usage/app"
stream = "usage"
"""


def refused(folder: Path, text: str) -> str:
    (folder / "vocabulary.toml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_vocabulary(folder)
    return str(caught.value)


def test_a_word_is_found_by_code_or_title_whatever_its_case() -> None:
    methods = load_vocabulary()["method"]
    assert methods.code_of("open_meeting") == methods.code_of(" OPEN  meeting ") == "open_meeting"
    assert methods.code_of("Sabbath") is None


def test_a_misspelt_word_gets_the_nearest_known_one_and_nonsense_gets_none() -> None:
    words = load_vocabulary()["stage"]
    assert words.nearest("co-desing") == "co_design"
    assert words.nearest("zzzz") is None


def test_the_eight_methods_of_the_guidelines_come_first() -> None:
    assert list(load_vocabulary()["method"].codes)[:8] == [
        "information_and_data", "open_meeting", "public_consultation", "open_innovation", "citizen_science",
        "civic_monitoring", "participatory_budgeting", "representative_deliberation",
    ]  # fmt: skip


def test_what_the_simulator_says_is_in_the_vocabulary() -> None:
    words = load_vocabulary()
    said = {
        "method": set(script._TOOLS), "stage": set(STAGES), "level": set(script._LEVEL.values()),
        "tool": {tool for tools, _ in script._TOOLS.values() for tool in tools},
        "technique": {one for _, techniques in script._TOOLS.values() for one in techniques},
        "skill": set(script._SKILLS), "contribution_kind": set(script._KIND.values()),
        "disposition": {*engagement._TAKEN_UP, *engagement._NOT_TAKEN_UP},
        "obstacle": {obstacle for obstacle, _ in (*afterwards._OFTEN.values(), *afterwards._ANY)},
        "lesson": {lesson for _, lesson in (*afterwards._OFTEN.values(), *afterwards._ANY)},
    }  # fmt: skip
    for name, codes in said.items():
        assert codes <= set(words[name].codes), name
    assert all(set(TRUTH.methods(pilot)) <= set(words["method"].codes) for pilot in ("malmo", "genoa"))


def test_a_catalogue_adds_codes_and_says_things_in_its_own_words(tmp_path: Path) -> None:
    (tmp_path / "vocabulary.toml").write_text(
        '[tool.codes]\nbox = { title = "Box", help = "A box." }\n'
        '[stage]\ntitle = "Fase"\n[stage.codes]\nco_design = { title = "Progettare", help = "Si progetta insieme." }\n'
        '[lesson]\nreplace = true\n[lesson.codes]\nask = { title = "Ask", help = "Ask more." }\n'
    )
    words = load_vocabulary(tmp_path)
    assert words["tool"].code_of("box") == "box"
    assert "map" in words["tool"].codes
    assert words["stage"].title == "Fase"
    assert words["stage"].code_of("progettare") == "co_design"
    assert list(words["lesson"].codes) == ["ask"]


def test_it_is_no_pilot_and_part_of_the_catalogues_hash(tmp_path: Path) -> None:
    (tmp_path / "lund.toml").write_text(PILOT)
    before = load_catalogue(tmp_path)
    (tmp_path / "vocabulary.toml").write_text('[tool]\ntitle = "Things"\n')
    after = load_catalogue(tmp_path)
    assert list(after.pilots) == ["lund"]
    assert after.config_hash != before.config_hash


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[tools]\ntitle = "Tools"', "vocabulary.toml: tools: is no list of the vocabulary (did you mean tool?)"),
        ('[stage.codes]\nco_play = { title = "Play", help = "Play." }', "stage: is closed: indicators read its codes"),
        ("[stage]\nreplace = true", "stage: is closed"),
        ('[tool.codes]\n"Big Box" = { title = "B", help = "B." }', "tool.codes.Big Box"),
        ('[tool.codes]\nbox = { title = "Box" }', "tool.codes.box.help: is missing (add this key)"),
        ('[tool.codes]\nbox = { title = "Map", help = "A box." }', '"map" stands for both'),
        ('[tool.codes]\nbox = { title = "=1+1", help = "A box." }', "tool.codes.box.title"),
        ("[tool\n", "is not TOML"),
    ],
)
def test_each_mistake_is_told_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    assert said in refused(tmp_path, text)


def test_a_wrong_vocabulary_is_told_with_the_catalogues_other_problems(tmp_path: Path) -> None:
    (tmp_path / "lund.toml").write_text(PILOT.replace("country", "contry"))
    (tmp_path / "vocabulary.toml").write_text("[tools]\n")
    with pytest.raises(ConfigError) as caught:
        load_catalogue(tmp_path)
    assert "vocabulary.toml: tools" in str(caught.value)
    assert "contry" in str(caught.value)
