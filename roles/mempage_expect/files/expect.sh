#!/bin/bash
#
# Compares the last run of Tempest in this directory with what it had to show.
#
# Usage: expect.sh [--OPTION=[VALUE]]...
#
# Options are those of "mempage-tempest expect"; those without a value do not
# count. The exit status is that of the command.
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

set -o nounset

options=()
for option; do
    if [[ $option != *= ]]; then
        options+=("$option")
    fi
done
.tox/tempest/bin/stestr last --subunit |
    .tox/tempest/bin/mempage-tempest expect --config-file etc/tempest.conf \
        --results - "${options[@]}"
