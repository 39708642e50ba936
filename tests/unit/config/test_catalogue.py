"""A catalogue is refused with the place, the key and the remedy, or it is whole."""

from pathlib import Path

import pytest

from config.catalogue import load_catalogue
from config.problems import ConfigError

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
    (folder / "lund.toml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_catalogue(folder)
    return str(caught.value)


def test_a_small_pilot_file_is_enough(tmp_path: Path) -> None:
    (tmp_path / "lund.toml").write_text(PILOT)
    catalogue = load_catalogue(tmp_path)
    assert list(catalogue.pilots) == ["lund"]
    assert catalogue.common.disclosure_k == 5


def test_broken_toml_names_the_file_and_the_line(tmp_path: Path) -> None:
    assert "lund.toml: is not TOML: " in refused(tmp_path, PILOT + "\nname = [")
    assert "line" in refused(tmp_path, "slug == 1")


def test_an_unknown_key_is_named_and_not_passed_over(tmp_path: Path) -> None:
    said = refused(tmp_path, PILOT.replace("country", "contry"))
    assert "lund.toml: contry: is not a known key" in said
    assert "lund.toml: country: is missing (add this key)" in said


def test_a_pilot_without_time_zone_is_refused(tmp_path: Path) -> None:
    said = refused(tmp_path, PILOT.replace('time_zone = "Europe/Stockholm"\n', ""))
    assert said == "lund.toml: time_zone: is missing (add this key)"


def test_a_time_zone_that_does_not_exist_is_refused_with_an_example(tmp_path: Path) -> None:
    assert 'write one such as "Europe/Berlin"' in refused(tmp_path, PILOT.replace("Stockholm", "Lund"))


@pytest.mark.parametrize(
    ("addition", "said"),
    [
        ('expect_every = "often"', 'write a duration as a number and a unit: "90s", "15m", "1h" or "2d"'),
        ('decoder = "flat_json"', 'decoder "flat_json" needs a [feeds.map] table'),
        ('[facts.arena]\nvalue = "a street"\nevidence = "verified"', "a known value needs its source_url"),
        ('[facts.arena]\nvalue = "unknown"\nevidence = "verified"', 'an unknown value has evidence = "unknown"'),
        ('[[denominators]]\nkind = "inhabitants"\nvalue = 5', "needs its year and source"),
        ('[[feeds]]\nid = "app"\ntopic = "a"\nstream = "usage"', 'two feeds have the id "app"'),
        ('[[calendar.closures]]\nfirst = 2026-02-02\nlast = 2026-02-01\nreason = "x"', "last is before first"),
    ],
)
def test_each_rule_is_told_with_its_remedy(tmp_path: Path, addition: str, said: str) -> None:
    assert said in refused(tmp_path, PILOT + addition)


def test_a_slug_that_is_not_the_files_name_is_refused(tmp_path: Path) -> None:
    assert 'name the file malmo.toml or set slug = "lund"' in refused(tmp_path, PILOT.replace('"lund"', '"malmo"'))


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "ystad.toml").write_text("slug = 1")
    said = refused(tmp_path, "= broken")
    assert "ystad.toml" in said
    assert "lund.toml" in said


def test_a_missing_folder_and_an_empty_one_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such catalogue folder"):
        load_catalogue(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="holds no pilot file"):
        load_catalogue(tmp_path)


def test_the_hash_changes_with_any_file(tmp_path: Path) -> None:
    (tmp_path / "lund.toml").write_text(PILOT)
    before = load_catalogue(tmp_path).config_hash
    assert load_catalogue(tmp_path).config_hash == before
    (tmp_path / "catalogue.toml").write_text("disclosure_k = 0")
    assert load_catalogue(tmp_path).config_hash != before
