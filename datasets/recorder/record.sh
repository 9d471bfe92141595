#!/bin/sh
# Record the shop. One command, as root on Debian or Ubuntu:
#     sudo ./record.sh OUTPUT_DIRECTORY [options of record.py]
# Installs nginx and PostgreSQL with apt if they are missing, makes a virtual environment
# in a temporary directory, runs the recorder on loopback ports only, and cleans up.
set -eu

if [ "$#" -lt 1 ]; then
    echo "usage: $0 OUTPUT_DIRECTORY [--quick] [--seed N] [...]" >&2
    exit 2
fi
if [ "$(id -u)" -ne 0 ]; then
    echo "the recorder needs root: it installs packages and runs PostgreSQL as its own user" >&2
    exit 1
fi
out=$1
shift
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)

missing=
command -v nginx >/dev/null 2>&1 || missing="$missing nginx"
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing="$missing postgresql"
python3 -c 'import ensurepip' >/dev/null 2>&1 || missing="$missing python3-venv"
if [ -n "$missing" ]; then
    apt-get update
    # shellcheck disable=SC2086 # a list of package names
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing
fi

venv=$(mktemp -d)
child=
clean_up() {
    if [ -n "$child" ]; then
        kill -TERM "$child" 2>/dev/null || true
        wait "$child" || true
    fi
    rm -rf "$venv"
}
trap clean_up EXIT
trap 'exit 143' TERM INT HUP
python3 -m venv "$venv"
"$venv/bin/pip" install --quiet -r "$here/requirements.txt"
"$venv/bin/python" "$here/record.py" --out "$out" "$@" &
child=$!
code=0
wait "$child" || code=$?
child=
exit "$code"
