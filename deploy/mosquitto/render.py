#!/usr/bin/env python3
"""Writes a Mosquitto configuration from the template next to it.

Profiles say how soon a message is on disk: `crash-safe` after every change, `throughput` every second,
`sqlite` through the persistence plugin of Mosquitto 2.1, once a second with full sync.
Access is by user and access list; `--anonymous` is for tests and demos, on loopback alone.
Needs nothing but Python 3.11.
"""

import argparse
import sys
from pathlib import Path
from string import Template

TEMPLATE = Path(__file__).with_name("mosquitto.conf.template")
LOOPBACK = ("127.0.0.1", "::1", "localhost")
# The first two write the whole state each time, so that counting changes (autosave_on_changes) costs the more the
# longer the queue is: measured in docs/deploy.md. The plugin writes what changed.
PROFILES = {
    "crash-safe": "persistence true\npersistence_location {data}\nautosave_on_changes true\nautosave_interval 1",
    "throughput": "persistence true\npersistence_location {data}\nautosave_on_changes false\nautosave_interval 1",
    "sqlite": "persistence_location {data}\nglobal_plugin {plugin}\nplugin_opt_sync full\nplugin_opt_flush_period 1",
}
TLS = """
# For the pilots and everyone else from outside.
listener {port}
cafile {folder}/ca.crt
certfile {folder}/server.crt
keyfile {folder}/server.key
tls_version tlsv1.2
"""
CLIENT_CERTIFICATES = """# The certificate's common name is the user: a pilot needs no password.
require_certificate true
use_identity_as_username true
crlfile {folder}/crl.pem
"""


def render(options: argparse.Namespace) -> str:
    """The whole configuration as text."""
    return Template(TEMPLATE.read_text()).substitute(
        profile=options.profile,
        user=options.user,
        port=options.port,
        address=options.address,
        tls=_tls(options),
        access=_access(options),
        persistence=PROFILES[options.profile].format(data=f"{options.data.rstrip('/')}/", plugin=options.plugin),
        max_payload=options.max_payload,
        max_packet=2 * options.max_payload,
        log=options.log,
    )


def _tls(options: argparse.Namespace) -> str:
    text: str = TLS + CLIENT_CERTIFICATES if options.client_certificates else TLS
    return text.format(folder=options.tls, port=options.tls_port) if options.tls else ""


def _access(options: argparse.Namespace) -> str:
    if options.anonymous:
        return "allow_anonymous true"
    return f"allow_anonymous false\npassword_file {options.passwords}\nacl_file {options.acl}"


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--profile", choices=sorted(PROFILES), default="crash-safe")
    add("--address", default="127.0.0.1", help="where the listener without TLS listens")
    add("--port", type=int, default=1883)
    add("--private-network", action="store_true", help="allow --address beyond loopback: only containers reach it")
    add("--tls", metavar="FOLDER", help="add a TLS listener; the folder holds ca.crt, server.crt and server.key")
    add("--tls-port", type=int, default=8883)
    add("--client-certificates", action="store_true", help="TLS users are their certificates; needs crl.pem too")
    add("--anonymous", action="store_true", help="no users at all: loopback only")
    add("--passwords", default="/mosquitto/secrets/passwords")
    add("--acl", default="/mosquitto/config/acl")
    add("--data", default="/mosquitto/data", help="folder of the persistent state")
    add("--user", default="mosquitto", help="system user to become when started as root")
    add("--log", default="stderr")
    add("--plugin", default="/usr/lib/mosquitto_persist_sqlite.so", help="the SQLite persistence plugin")
    add("--max-payload", type=int, default=65536, help="largest payload in bytes")
    options = parser.parse_args(arguments)
    loopback = options.address in LOOPBACK
    if options.anonymous and (options.tls or not loopback):
        parser.error("--anonymous is for loopback only; leave it out and give --passwords and --acl")
    if not loopback and not options.private_network:
        parser.error("beyond loopback use --tls FOLDER, or say --private-network when only containers reach it")
    if options.client_certificates and not options.tls:
        parser.error("--client-certificates needs --tls FOLDER")
    return options


if __name__ == "__main__":
    sys.stdout.write(render(_options(sys.argv[1:])))
