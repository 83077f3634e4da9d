#!/bin/bash
#
# The plugin's part in DevStack's phases. The work is in lib.
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

# Save trace setting
_XTRACE_MEMPAGE_PLUGIN=$(set +o | grep xtrace)
set +o xtrace

source "$MEMPAGE_DIR/devstack/lib/host-memory"
source "$MEMPAGE_DIR/devstack/lib/consumers"
source "$MEMPAGE_DIR/devstack/lib/nova-memory"
source "$MEMPAGE_DIR/devstack/lib/host-inventory"

# Before libvirt starts, and while memory is not scattered yet.
function mempage_pre_install {
    if is_service_enabled n-cpu; then
        check_host_memory
        check_nova_memory
        check_consumers
        install_memory_packages
        build_host_memory
    fi
    if is_service_enabled tempest; then
        install_tempest_packages
    fi
}

# libvirt and Nova are there; neither has started a guest.
function mempage_install {
    if is_service_enabled n-cpu; then
        install_consumers
        connect_libvirt
    fi
    if [[ $MEMPAGE_NOVA_EXTENSION == True ]] \
            && is_service_enabled n-cpu n-sch; then
        install_nova_extension
    fi
}

# nova.conf is written, but for Neutron's part, which DevStack writes in the
# background: two writers at a time lose each other's options. What local.conf
# says of it comes after this.
function mempage_post_config {
    async_wait configure_neutron_nova
    if is_service_enabled n-cpu; then
        configure_nova_compute_memory
    fi
    if is_service_enabled n-cpu n-api; then
        configure_nova_shares
    fi
    if is_service_enabled q-svc neutron-api q-agt neutron-agent; then
        configure_neutron_sockets
    fi
    if [[ $MEMPAGE_NOVA_EXTENSION == True ]] && is_service_enabled n-sch; then
        configure_nova_scheduler_memory
    fi
}

# Nova is running, with its final configuration.
function mempage_extra {
    [[ $MEMPAGE_NOVA_EXTENSION == True ]] || return 0
    if is_service_enabled n-cpu; then
        verify_nova_extension compute "$NOVA_CPU_CONF"
    fi
    if is_service_enabled n-sch; then
        verify_nova_extension scheduler "$NOVA_CONF"
    fi
}

# tempest.conf is written. This phase runs on every node.
function mempage_test_config {
    if is_service_enabled n-cpu; then
        declare_host
    fi
    if is_service_enabled tempest; then
        allow_tempest
        write_ssh
        learn_known_hosts "$NOVA_MY_IP"
        write_inventory
        if [[ $MEMPAGE_NOVA_EXTENSION == True ]]; then
            declare_aggregates
        fi
        configure_mempage_tempest
    fi
}

case "$1 ${2:-}" in
    "stack pre-install")
        mempage_pre_install
        ;;
    "stack install")
        mempage_install
        ;;
    "stack post-config")
        mempage_post_config
        ;;
    "stack extra")
        mempage_extra
        ;;
    "stack test-config")
        mempage_test_config
        ;;
    "unstack ")
        remove_consumers
        remove_host_memory
        remove_inventory
        ;;
    "clean ")
        # unstack.sh has run
        remove_nova_extension
        ;;
esac

# Restore xtrace
$_XTRACE_MEMPAGE_PLUGIN
