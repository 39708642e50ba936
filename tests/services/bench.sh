#!/usr/bin/env bash
# Installs what `make bench` compares with: Telegraf 1.37 from a telegraf on PATH, or else built from its Go module
# with the plugins that the comparison needs and cached by version. Safe to run again, quick the second time.
# Ends with 1 and the remedy when it cannot be had; the other benchmarks run without it.
set -euo pipefail

TELEGRAF_VERSION=1.37.2
GO_NEEDED=1.25.5 # as its go.mod states
GO_FETCHING=1.21 # the first that fetches a newer toolchain by itself, unless GOTOOLCHAIN forbids it
PLUGINS=inputs.mqtt_consumer,outputs.influxdb_v2,parsers.json
CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/periscope"
TELEGRAF="$CACHE/telegraf-$TELEGRAF_VERSION/telegraf"
PATH="$PATH:/usr/local/go/bin"

say() { printf 'services-bench: %s\n' "$*"; }
fail() { say "missing telegraf $TELEGRAF_VERSION: $*" >&2; exit 1; }
at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n1)" = "$1" ]; }

go_serves() { # the version that was found
    at_least "$GO_NEEDED" "$1" && return
    [ "$(go env GOTOOLCHAIN)" != local ] && at_least "$GO_FETCHING" "$1"
}

build() { # in a folder of its own, then moved in one step: an interrupted build leaves nothing half done
    mkdir -p "$CACHE"
    local work log="$CACHE/telegraf.log"
    work=$(mktemp -d "$CACHE/build.XXXXXX")
    if ! WORK="$work" VERSION="$TELEGRAF_VERSION" TAGS="custom,$PLUGINS" bash -euo pipefail >"$log" 2>&1 <<'STEPS'; then
cd "$WORK"
MODULE=$(go mod download -json "github.com/influxdata/telegraf@v$VERSION" | sed -n 's/^\t"Dir": "\(.*\)",\{0,1\}$/\1/p')
# Built where the module lies, with the versions that its own go.sum names.
cd "$MODULE"
go build -mod=readonly -trimpath -tags "$TAGS" \
    -ldflags "-s -w -X github.com/influxdata/telegraf/internal.Version=$VERSION" -o "$WORK/telegraf" ./cmd/telegraf
"$WORK/telegraf" version
STEPS
        tail -n 20 "$log" >&2
        rm -rf "$work"
        fail "the build failed; the whole log is $log"
    fi
    mkdir -p "$(dirname "$TELEGRAF")"
    mv "$work/telegraf" "$TELEGRAF"
    rm -rf "$work"
}

found=$(command -v telegraf || true)
if [ -n "$found" ]; then
    say "Telegraf: $found"
    exit
fi
if [ ! -x "$TELEGRAF" ]; then
    found=$(go env GOVERSION 2>/dev/null | sed 's/^go//') || found=
    [ -n "$found" ] || fail "building it needs Go $GO_NEEDED or later, found none; install Go, or telegraf itself"
    go_serves "$found" || fail "building it needs Go $GO_NEEDED or later, found $found; install that, or telegraf itself"
    say "building Telegraf $TELEGRAF_VERSION; the first time this takes about 2 minutes on 2 cores"
    build
fi
say "Telegraf: $TELEGRAF"
