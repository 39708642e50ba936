#!/usr/bin/env python3
"""Writes a Mosquitto configuration from the template next to it.

Profiles say how soon a message is on disk: `crash-safe` after every change, `throughput` after every 50
changes, `sqlite` through the persistence plugin of Mosquitto 2.1 once a second with full sync. Access is
by user and access list; `--anonymous` is for tests and demos and is refused beyond loopback.
Needs nothing but Python.
"""

import argparse
import sys
from pathlib import Path
from string import Template

TEMPLATE = Path(__file__).with_name("mosquitto.conf.template")
LOOPBACK = ("127.0.0.1", "::1", "localhost")
PLUGIN = "/usr/lib/mosquitto_persist_sqlite.so"
PROFILES = {
    "crash-safe": "persistence true\npersistence_location {data}\nautosave_on_changes true\nautosave_interval 1",
    "throughput": "persistence true\npersistence_location {data}\nautosave_on_changes true\nautosave_interval 50",
    "sqlite": "persistence_location {data}\nglobal_plugin {plugin}\nplugin_opt_sync full\nplugin_opt_flush_period 1",
}


def render(options: argparse.Namespace) -> str:
    """The whole configuration as text."""
    data = f"{options.data.rstrip('/')}/"
    return Template(TEMPLATE.read_text()).substitute(
        profile=options.profile, user=options.user, port=options.port, address=options.address,
        tls=_tls(options.tls), access=_access(options), log=options.log,
        persistence=PROFILES[options.profile].format(data=data, plugin=options.plugin),
        max_payload=options.max_payload, max_packet=2 * options.max_payload,
    )


def _tls(folder: str | None) -> str:
    if folder is None:
        return "# No TLS: this listener is for loopback or a private container network only."
    return "\n".join([f"cafile {folder}/ca.crt", f"certfile {folder}/server.crt", f"keyfile {folder}/server.key",
                      "tls_version tlsv1.2"])


def _access(options: argparse.Namespace) -> str:
    if options.anonymous:
        return "allow_anonymous true"
    return f"allow_anonymous false\npassword_file {options.passwords}\nacl_file {options.acl}"


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", choices=sorted(PROFILES), default="crash-safe")
    parser.add_argument("--address", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=1883)
    parser.add_argument("--tls", metavar="FOLDER", help="folder with ca.crt, server.crt and server.key; use port 8883")
    parser.add_argument("--anonymous", action="store_true", help="no users: loopback only")
    parser.add_argument("--passwords", default="/mosquitto/secrets/passwords")
    parser.add_argument("--acl", default="/mosquitto/config/acl")
    parser.add_argument("--data", default="/mosquitto/data", help="folder of the persistent state")
    parser.add_argument("--user", default="mosquitto", help="system user to drop to when started as root")
    parser.add_argument("--log", default="stderr")
    parser.add_argument("--plugin", default=PLUGIN, help="path of the SQLite persistence plugin")
    parser.add_argument("--max-payload", type=int, default=65536, help="largest payload in bytes")
    options = parser.parse_args(arguments)
    if options.anonymous and options.address not in LOOPBACK:
        parser.error("--anonymous is for loopback only: give --passwords and --acl for another address")
    if options.tls is None and options.address not in LOOPBACK and options.profile != "sqlite":
        parser.error("beyond loopback the listener needs --tls FOLDER")
    return options


if __name__ == "__main__":
    sys.stdout.write(render(_options(sys.argv[1:])))
