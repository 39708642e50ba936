#!/usr/bin/env bash
# Makes Mosquitto's password file from one secret file per user.
#   passwords.sh SECRETS PASSWORDS USER...
# SECRETS/mqtt_USER holds the password of USER; a missing one is made at random, an empty or short one is refused.
# There are no default passwords. OWNER=uid gives all files to that user (1883 in the container image).
set -euo pipefail
umask 077

IMAGE=eclipse-mosquitto:2.1.2-alpine
[ $# -ge 3 ] || { echo "use: passwords.sh SECRETS PASSWORDS USER..." >&2; exit 2; }
secrets=$1 passwords=$2
shift 2
mkdir -p "$secrets" "$(dirname "$passwords")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for user in "$@"; do
    [[ "$user" =~ ^[a-z][a-z0-9-]{0,39}$ ]] || { echo "\"$user\" is no user name: a-z, 0-9 and -, as a slug" >&2; exit 2; }
    file="$secrets/mqtt_$user"
    [ -e "$file" ] || head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$file"
    secret=$(head -n1 "$file")
    [ ${#secret} -ge 16 ] || { echo "$file: has fewer than 16 characters; write a longer one, or remove the file to get a random one" >&2; exit 1; }
    printf '%s:%s\n' "$user" "$secret" >>"$work/passwords"
done

# -U replaces plain passwords by hashes in place, so that none is ever an argument that `ps` shows.
if command -v mosquitto_passwd >/dev/null; then
    mosquitto_passwd -U "$work/passwords"
elif command -v docker >/dev/null; then
    docker run --rm --user "$(id -u):$(id -g)" -v "$work:/work" "$IMAGE" mosquitto_passwd -U /work/passwords
else
    echo "mosquitto_passwd is not installed: install the package mosquitto, or Docker" >&2
    exit 1
fi
[ -z "${OWNER:-}" ] || chown "$OWNER" "$work/passwords"
mv "$work/passwords" "$passwords"
