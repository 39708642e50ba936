"""Which store the settings open."""

import subprocess
import sys
from pathlib import Path

import pytest

from config.settings import Influx, Settings
from pipeline.store import open_store
from pipeline.store.influx import InfluxStore
from pipeline.store.port import StoreRefused
from pipeline.store.sqlite import SQLiteStore
from tests.contract.samples import EVER, action


def test_the_embedded_store_lives_under_the_state_folder(tmp_path: Path) -> None:
    store = open_store(Settings(state=tmp_path))
    assert isinstance(store, SQLiteStore)
    store.write([action("e")])
    store.close()
    assert {"raw.db", "derived.db"} <= {path.name for path in (tmp_path / "store").iterdir()}
    again = open_store(Settings(state=tmp_path), "read")
    assert again.count("milan", "usage", *EVER) == 1
    again.close()


def test_influxdb_is_opened_without_asking_it_anything() -> None:
    store = open_store(Settings(store="influx", influx=Influx(url="http://127.0.0.1:1", token="t")), "raw")
    assert isinstance(store, InfluxStore)
    store.close()


def test_a_state_folder_that_cannot_be_used_is_told_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreRefused, match="PERISCOPE_STATE"):
        open_store(Settings(state=tmp_path / "file"))


def test_the_embedded_store_does_not_load_the_client_of_influxdb(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from config.settings import Settings; from pipeline.store import open_store\n"
        "open_store(Settings(state=Path(sys.argv[1]))).close(); sys.exit('influxdb_client' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], timeout=60, check=False).returncode == 0
