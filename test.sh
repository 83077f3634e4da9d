#!/bin/bash
#
# Runs the project's tests and checks in an environment of its own.
#
#   ./test.sh          all of them
#   ./test.sh ENV...   only these environments of tox.ini, such as py3 or pep8
#
# What is missing is installed first: system packages (bindep.txt) through
# apt-get, Python packages into .tox/.venv. All environments share that one,
# which saves minutes; "tox -e ENV" makes one for each, as in a gate job.
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

cd "$(dirname "$(readlink -f "$0")")"

VENV=$PWD/.tox/.venv
CONSTRAINTS=${TOX_CONSTRAINTS_FILE:-$PWD/mempage_lab/constraints/2026.2.txt}
REQUIREMENTS=(requirements.txt test-requirements.txt doc/requirements.txt
    tests/browser/requirements.txt)

# pbr asks git for the version, and git distrusts a clone that belongs to
# another user than the one who runs it.
export GIT_CONFIG_COUNT=1
export GIT_CONFIG_KEY_0=safe.directory
export GIT_CONFIG_VALUE_0=$PWD

function refuse {
    echo "test.sh: $*" >&2
    exit 1
}

function as_root {
    if [[ $EUID -eq 0 ]]; then
        "$@"
    else
        sudo "$@"
    fi
}

function is_known_debian {
    (
        . /etc/os-release
        [[ $ID == debian && $VERSION_ID =~ ^1[23]$ ]]
    )
}

# install_packages PACKAGE... - on the distributions where it is known to do.
function install_packages {
    is_known_debian || refuse "only Debian 12 and 13 are known here;" \
        "install these packages by hand: $*"
    as_root apt-get update -q
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -q --no-install-recommends "$@"
}

# make_venv - makes the environment with what finds missing packages.
function make_venv {
    [[ ! -x $VENV/bin/bindep ]] || return 0
    if ! /usr/bin/python3 -c 'import ensurepip' 2>/dev/null; then
        install_packages python3-venv
    fi
    rm -rf "$VENV"
    /usr/bin/python3 -m venv "$VENV"
    "$VENV/bin/pip" install -q bindep
}

function install_missing_packages {
    local missing

    missing=$("$VENV/bin/bindep" --brief test) || true
    if [[ -n $missing ]]; then
        # shellcheck disable=SC2086
        install_packages $missing
    fi
}

# install_project - installs the project and all its requirements, unless
# none has changed since the last time.
function install_project {
    local stamp=$VENV/installed
    local state

    state=$(cat setup.cfg "${REQUIREMENTS[@]}" "$CONSTRAINTS" | sha256sum)
    [[ ! -f $stamp || $(<"$stamp") != "$state" ]] || return 0
    "$VENV/bin/pip" install -q -c "$CONSTRAINTS" tox tox-current-env \
        "${REQUIREMENTS[@]/#/-r}" -e '.[certify,lab]'
    echo "$state" >"$stamp"
}

make_venv
install_missing_packages
install_project
environments=$*
"$VENV/bin/tox" run --current-env ${environments:+-e "${environments// /,}"}
