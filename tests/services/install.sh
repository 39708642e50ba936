#!/usr/bin/env bash
# Installs what tests of real services need: Mosquitto and Chromium from the distribution, InfluxDB 2.7 from an
# influxd on PATH or else built from its Go module and cached by version. Safe to run again, quick the second time.
# Ends with 1 and a list of what is missing when something cannot be had.
set -euo pipefail

INFLUX_VERSION=2.7.12
GO_NEEDED=1.24 # the first with `go get -tool`
RUST_NEEDED=1.72 # as its Rust part states
CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/periscope"
INFLUXD="$CACHE/influxd-$INFLUX_VERSION/influxd"
PATH="$PATH:/usr/sbin:/usr/local/sbin:/usr/local/go/bin:$HOME/.cargo/bin"
missing=()

say() { printf 'services: %s\n' "$*"; }
have() { command -v "$1" >/dev/null 2>&1; }
at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n1)" = "$1" ]; }

from_distribution() { # program, package
    have "$1" && return
    if [ "$(id -u)" != 0 ] || ! have apt-get; then
        missing+=("$1: install your distribution's package, for example: sudo apt-get install $2")
        return
    fi
    say "installing $2"
    apt-get update -qq
    if ! DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$2" >/dev/null; then
        missing+=("$1: apt-get could not install $2; install it another way")
    fi
}

influxd_on_path() { # 1.x is what distributions ship under the same name, and cannot serve
    have influxd && [[ "$(influxd version 2>/dev/null)" =~ ^InfluxDB\ (v?2\.|dev) ]]
}

tools_for_influxd() {
    local ready=yes found
    found=$(go env GOVERSION 2>/dev/null | sed 's/^go//') || found=
    if [ -z "$found" ] || ! at_least "$GO_NEEDED" "$found"; then
        missing+=("influxd $INFLUX_VERSION: building it needs Go $GO_NEEDED or later, found ${found:-none}")
        ready=no
    fi
    found=$(rustc --version 2>/dev/null | cut -d' ' -f2) || found=
    if [ -z "$found" ] || ! at_least "$RUST_NEEDED" "$found"; then
        missing+=("influxd $INFLUX_VERSION: building it needs Rust $RUST_NEEDED or later, found ${found:-none}")
        ready=no
    fi
    for found in cc cargo; do
        have "$found" || { missing+=("influxd $INFLUX_VERSION: building it needs $found"); ready=no; }
    done
    [ "$ready" = yes ]
}

build_influxd() { # in a folder of its own, then moved in one step: an interrupted build leaves nothing half done
    say "building influxd $INFLUX_VERSION; the first time this takes about 5 minutes on 2 cores"
    mkdir -p "$CACHE"
    local work log="$CACHE/build.log"
    work=$(mktemp -d "$CACHE/build.XXXXXX")
    if ! WORK="$work" VERSION="$INFLUX_VERSION" bash -euo pipefail >"$log" 2>&1 <<'STEPS'; then
export GOBIN="$WORK/bin" RUSTC_WRAPPER="$WORK/rustc-wrap" PATH="$WORK/bin:$PATH"
# The sources pin an older toolchain; the one that is installed serves.
if command -v rustup; then
    RUSTUP_TOOLCHAIN=$(rustup show active-toolchain | cut -d' ' -f1)
    export RUSTUP_TOOLCHAIN
fi
# The Rust part denies warnings that newer compilers raise.
mkdir "$WORK/bin" "$WORK/module"
printf '#!/bin/sh\nexec "$@" --cap-lints warn\n' >"$RUSTC_WRAPPER"
chmod +x "$RUSTC_WRAPPER"
# The module has a replace directive, so it is built as a tool of an empty module.
cd "$WORK/module"
go mod init influxbuild
go get -tool "github.com/influxdata/influxdb/v2/cmd/influxd@v$VERSION" github.com/influxdata/pkg-config@v0.2.14
go install github.com/influxdata/pkg-config
go install -tags sqlite_foreign_keys,sqlite_json github.com/influxdata/influxdb/v2/cmd/influxd
"$WORK/bin/influxd" version
STEPS
        tail -n 20 "$log" >&2
        rm -rf "$work"
        return 1
    fi
    mkdir -p "$(dirname "$INFLUXD")"
    mv "$work/bin/influxd" "$INFLUXD"
    rm -rf "$work"
}

from_distribution mosquitto mosquitto
have chromium || have chromium-browser || have google-chrome || from_distribution chromium chromium
if influxd_on_path; then
    say "InfluxDB: $(command -v influxd)"
elif [ -x "$INFLUXD" ]; then
    say "InfluxDB: $INFLUXD"
elif tools_for_influxd; then
    build_influxd || missing+=("influxd $INFLUX_VERSION: the build failed; the whole log is $CACHE/build.log")
    [ ! -x "$INFLUXD" ] || say "InfluxDB: $INFLUXD"
fi

if [ ${#missing[@]} -gt 0 ]; then
    printf 'services: missing %s\n' "${missing[@]}" >&2
    exit 1
fi
say "Mosquitto, InfluxDB and Chromium are here"
