#!/bin/bash
#
# Runs the lab, a real multi-host OpenStack on this machine.
#
#   ./lab.sh run       brings the lab up and runs the suite in it
#   ./lab.sh ARGS...   passes ARGS on to mempage-lab; see ./lab.sh --help
#
# What mempage-lab itself needs is installed first: a few system packages, and
# an environment in /var/cache/mempage-lab that ./lab.sh purge removes again.
#
# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

set -euo pipefail

HERE=$(dirname "$(readlink -f "$0")")
CACHE=/var/cache/mempage-lab
# Of each checkout its own: another one's lab may run.
VENV=$CACHE/lab-$(sha256sum <<<"$HERE" | head -c 12)
CONSTRAINTS=$HERE/mempage_lab/constraints/2026.2.txt
# To build libvirt-python, and to know the version of a checkout.
PACKAGES=(gcc git libc6-dev libvirt-dev pkg-config python3-dev python3-venv)

function refuse {
    echo "lab.sh: $*" >&2
    exit 1
}

function check_system {
    local system
    system=$(. /etc/os-release && echo "${ID:-?} ${VERSION_ID:-?}")
    case "$system $(uname -m)" in
        "debian 12 x86_64" | "debian 13 x86_64") ;;
        *) refuse "the lab runs on Debian 12 and 13, x86_64; this is" \
            "$system, $(uname -m)" ;;
    esac
}

function install_packages {
    local missing=() package
    for package in "${PACKAGES[@]}"; do
        dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null |
            grep -qx installed || missing+=("$package")
    done
    [[ ${#missing[@]} -gt 0 ]] || return 0
    echo "lab.sh: installing ${missing[*]}" >&2
    apt-get update -q >/dev/null
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
        --no-install-recommends "${missing[@]}" >/dev/null
}

# make_venv - makes the environment anew when what it is made of changes.
function make_venv {
    local recipe
    recipe=$(cd "$HERE" &&
        cat setup.cfg requirements.txt "$CONSTRAINTS" | sha256sum)
    [[ $(cat "$VENV/recipe" 2>/dev/null) != "$recipe" ]] || return 0
    echo "lab.sh: making the environment $VENV" >&2
    rm -rf "$VENV"
    /usr/bin/python3 -m venv "$VENV"
    # pbr asks git for the version, and git distrusts a clone that belongs
    # to another user.
    GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0=$HERE \
        "$VENV/bin/pip" install -q -c "$CONSTRAINTS" -e "${HERE}[lab,certify]"
    echo "$recipe" > "$VENV/recipe"
}

if [[ $EUID -ne 0 ]]; then
    exec sudo "$HERE/lab.sh" "$@"
fi
check_system
install_packages
mkdir -p "$CACHE"
{
    flock 9
    make_venv
} 9>"$CACHE/lab.lock"
exec "$VENV/bin/mempage-lab" "$@"
