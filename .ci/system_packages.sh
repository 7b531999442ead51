#!/usr/bin/env bash
# Installs the Debian packages that the tests need and that are not here yet: a real broker, PostgreSQL, a browser, CJK fonts,
# and what reads and thins out tilt photography.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
PATH=$PATH:/usr/sbin:/usr/local/sbin

missing=()
command -v mosquitto >/dev/null || missing+=(mosquitto)
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing+=(postgresql)
[ -x /usr/bin/chromium ] || missing+=(chromium)
[ -d /usr/share/fonts/opentype/noto ] || missing+=(fonts-noto-cjk)
command -v osgconv >/dev/null || missing+=(openscenegraph)
ls /usr/lib/*/libmeshoptimizer.so.2d >/dev/null 2>&1 || missing+=(libmeshoptimizer2d)
{ command -v python3 >/dev/null && python3 -c 'import ensurepip' 2>/dev/null; } || missing+=(python3 python3-venv)
[ ${#missing[@]} -eq 0 ] && exit 0

if ! command -v apt-get >/dev/null; then
    echo "Please install by hand what the tests need: ${missing[*]} (this machine has no apt-get)." >&2
    exit 1
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! sudo -n true 2>/dev/null; then
        echo "The tests need Debian packages: sudo apt-get install ${missing[*]}" >&2
        exit 1
    fi
    as_root=(sudo -n)
fi
echo "installing Debian packages for the tests: ${missing[*]}"
"${as_root[@]}" apt-get update -qq </dev/null
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null >/dev/null
