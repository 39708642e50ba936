#!/usr/bin/env bash
# Makes what compose.yaml mounts: broker configuration, access passwords, certificates. Run as root, safe to run again.
#   prepare.sh                    expects secrets/tls/ca.crt, server.crt and server.key
#   prepare.sh --self-signed NAME makes these with a certificate authority of its own, for trying out
set -euo pipefail
umask 077
cd "$(dirname "$0")"

broker=1883 # user ids inside the images
periscope=10001
mkdir -p secrets/tls rendered

self_signed() { # host name
    local days=365
    openssl req -x509 -newkey rsa:2048 -nodes -days "$days" -subj "/CN=Periscope trial CA" \
        -keyout secrets/tls-ca.key -out secrets/tls/ca.crt 2>/dev/null
    openssl req -newkey rsa:2048 -nodes -subj "/CN=$1" -keyout secrets/tls/server.key -out secrets/tls-server.csr 2>/dev/null
    openssl x509 -req -in secrets/tls-server.csr -CA secrets/tls/ca.crt -CAkey secrets/tls-ca.key -CAcreateserial \
        -days "$days" -extfile <(printf 'subjectAltName=DNS:%s' "$1") -out secrets/tls/server.crt 2>/dev/null
    rm -f secrets/tls-server.csr
}

if [ "${1:-}" = --self-signed ]; then
    [ -n "${2:-}" ] || { echo "use: prepare.sh --self-signed HOST-NAME" >&2; exit 2; }
    [ -e secrets/tls/server.key ] || self_signed "$2"
fi
for file in ca.crt server.crt server.key; do
    [ -s "secrets/tls/$file" ] || { echo "secrets/tls/$file is missing: put the broker's certificate there, or use --self-signed NAME" >&2; exit 1; }
done

users=(collector importer dashboard doctor)
for file in "${PILOTS:-../config/pilots}"/*.toml; do
    slug=$(basename "$file" .toml)
    case "$slug" in
        catalogue | vocabulary) ;;
        collector | importer | dashboard | doctor) echo "$file: a pilot cannot be called $slug, which is a broker user" >&2; exit 1 ;;
        *) users+=("$slug") ;;
    esac
done
mosquitto/passwords.sh secrets rendered/passwords "${users[@]}"
python3 mosquitto/render.py --profile sqlite --address 0.0.0.0 --private-network --tls /mosquitto/tls >rendered/mosquitto.conf

if [ "$(id -u)" = 0 ]; then
    chown -R "$broker" rendered secrets/tls
    chown "$periscope" secrets/mqtt_collector secrets/mqtt_dashboard
else
    echo "not root: give rendered/ and secrets/tls to user $broker and secrets/mqtt_collector, secrets/mqtt_dashboard to user $periscope yourself" >&2
fi
echo "prepared ${#users[@]} broker users; each pilot's password is in $(pwd)/secrets/mqtt_PILOT"
