#!/bin/bash
#
# Run where Tempest runs, once all nodes are stacked and discovered: collects
# the declarations of all compute hosts that Nova knows, writes the host
# inventory of them, and tells the scheduler with aggregates. Tempest's user and
# key must be let in on the nodes.
#
#   devstack/tools/collect-inventory.sh
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

# shellcheck source=devstack/lib/mempage-common
source "$(dirname "$(readlink -f "$0")")/../lib/mempage-common"
# shellcheck source=devstack/lib/host-inventory
source "$(dirname "$(readlink -f "$0")")/../lib/host-inventory"

# fetch_declaration NAME ADDRESS - prints the declaration of a host. The key
# may be another user's who runs Tempest, so root reads it.
function fetch_declaration {
    mempage_as_root "$MEMPAGE_CONF_DIR/ssh" -n "$2" \
        cat "$MEMPAGE_CONF_DIR/hosts.d/$1.yaml" || mempage_die \
        "no declaration of $1 from $2: is Tempest's key let in there, and" \
        "is the plugin enabled and stacked?"
}

hosts=$(openstack --os-cloud devstack-admin hypervisor list --format value \
    --column 'Hypervisor Hostname' --column 'Host IP')
# shellcheck disable=SC2046
learn_known_hosts $(awk '{ print $2 }' <<<"$hosts")

collected=$(mktemp --directory "$MEMPAGE_CONF_DIR/hosts.XXXXXX")
trap 'rm -rf "$collected"' EXIT
chmod 0755 "$collected"
while read -r name address; do
    fetch_declaration "$name" "$address" >"$collected/$name.yaml"
done <<<"$hosts"
rm -rf "$MEMPAGE_CONF_DIR/hosts.d"
mv "$collected" "$MEMPAGE_CONF_DIR/hosts.d"
write_inventory
declare_aggregates
echo "$MEMPAGE_CONF_DIR/inventory.yaml:"
cat "$MEMPAGE_CONF_DIR/inventory.yaml"
