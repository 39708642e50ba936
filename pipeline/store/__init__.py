"""Where events and values live: `port` (the promises), `sqlite` and `influx` (two ways to keep them).

`limits` says what can be stored at all, `schema` names the tables, measurements, tags and fields of
`docs/store.md`. `sqlite_file` is one file of SQLite; `line_protocol` and `flux` are InfluxDB's two languages,
`responses` its answers.
"""

from config.settings import Settings
from pipeline.store.port import Mode, Store


def open_store(settings: Settings, mode: Mode = "all") -> Store:
    """The store that the settings name; raises StoreRefused with a sentence when it can never work.

    `mode` names what this process writes. The client of InfluxDB costs half a second to import, so it is loaded
    only when it is used.
    """
    if settings.store == "influx":
        from pipeline.store.influx import InfluxStore

        influx = settings.influx
        return InfluxStore(
            influx.url,
            influx.org,
            influx.token.get_secret_value(),
            influx.raw_bucket,
            influx.derived_bucket,
            mode=mode,
            timeout_s=influx.timeout_s,
        )
    from pipeline.store.sqlite import SQLiteStore

    return SQLiteStore(settings.state / "store", mode=mode)
