#!/bin/bash
#
# Makes a page of the last run of Tempest in this directory.
#
# Usage: report.sh EXPECTED PAGE
#
# EXPECTED is what "mempage-tempest expect" wrote of the run; it may be missing.
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

set -o errexit -o nounset

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
.tox/tempest/bin/stestr last --subunit >"$work/results.subunit" ||
    [[ -s $work/results.subunit ]]
if [[ -f $1 ]]; then
    cp "$1" "$work/results.expected.json"
fi
umask 022
.tox/tempest/bin/mempage-tempest report "$work" --output "$2"
