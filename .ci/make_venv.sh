#!/usr/bin/env bash
# Makes the virtual environment $1 with the newest usable Python (3.11 to 3.14); otherwise says what to install.
set -euo pipefail
venv=${1:-.venv}

usable() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' >/dev/null 2>&1; }

for python in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
    command -v "$python" >/dev/null || continue
    usable "$python" || continue
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        echo "$python has no venv module: sudo apt-get install python3-venv, then again." >&2
        exit 1
    fi
    echo "making $venv with $("$python" --version)"
    rm -rf "$venv"
    exec "$python" -m venv "$venv"
done

found=$(python3 --version 2>/dev/null || echo "no python3")
echo "County Twin needs Python 3.11 or newer (up to 3.14); here is $found." >&2
echo "Debian 12 and Ubuntu 24.04 have it: sudo apt-get install python3 python3-venv (or set PYTHON=/path/to/python)." >&2
exit 1
