#!/bin/bash
#
# The least of DevStack that the plugin needs: its functions, its settings, and
# stack and unstack, which call the plugin in DevStack's phases. Services,
# packages and guests are stood in; files, mounts, pages, namespaces and ssh are
# real, in directories of the mount namespace's own.
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

# private_directory DIRECTORY - puts a copy in memory over DIRECTORY.
function private_directory {
    mkdir -p "private$1"
    cp -a "$1/." "private$1"
    mount --bind "private$1" "$1"
}

private_directory /etc
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/lib
mkdir dev
mount -t tmpfs tmpfs dev
cp -a /dev/{null,zero,random,urandom,fd,loop-control} dev
mount --move dev /dev

mkdir -p background bin data guests home nova/nova/virt
PATH=$PWD/bin:$PATH
ROOT=$PWD
echo '# libvirt' >qemu.conf

# Two nodes with an ssh server, where root is at home
sed -i "s,^root:.*,root:x:0:0:root:$ROOT/home:/bin/bash," /etc/passwd
# The package of libvirt makes it.
getent passwd libvirt-qemu >/dev/null \
    || echo libvirt-qemu:x:64055:64055::/:/bin/false >>/etc/passwd
ip link set lo up
ip address add 198.51.100.11 dev lo
ip address add 198.51.100.12 dev lo
mkdir -p /run/sshd
ssh-keygen -q -t ed25519 -N '' -f host_key
/usr/sbin/sshd -D -f /dev/null -h "$PWD/host_key" -o PidFile=none \
    -o PermitRootLogin=prohibit-password -o StrictModes=no &
SSHD=$!

DATA_DIR=$ROOT/data
NOVA_DIR=$ROOT/nova
NOVA_CONF=$ROOT/nova.conf
NOVA_CPU_CONF=$ROOT/nova-cpu.conf
NOVA_BIN_DIR=$ROOT/bin
NOVA_MY_IP=198.51.100.11
NOVA_FILTERS=ComputeFilter
TEMPEST_CONFIG=$ROOT/tempest.conf
TEMPEST_PLUGINS=0
Q_PLUGIN_CONF_FILE=${ROOT#/}/ml2.conf
QEMU_CONF=$ROOT/qemu.conf
STACK_USER=root
KEYSTONE_SERVICE_URI=http://198.51.100.11/identity
SERVICE_PASSWORD=secret
SERVICE_DOMAIN_NAME=Default
SERVICE_PROJECT_NAME=service
REGION_NAME=RegionOne
PUBLIC_BRIDGE=br-ex
VIRT_DRIVER=libvirt
LIBVIRT_TYPE=qemu
INSTANCE_NAME_PREFIX=instance-
ENABLED_SERVICES=n-cpu,n-sch,tempest

# A guest is a process with a file that is named by its process ID.
cat >bin/virsh <<'EOF'
#!/bin/bash
cd "$(dirname "$0")/../guests" || exit 1
case $3 in
    hostname) echo "${HOST_NAME:-compute-1}"; echo ;;
    list) ls ;;
    destroy) kill "$(<"$4")"; tail --pid "$(<"$4")" -f /dev/null; rm "$4" ;;
esac
EOF
cat >bin/mempage-nova <<'EOF'
#!/bin/bash
echo "mempage-nova $*" >>"$(dirname "$0")/../log"
[[ ! -e $(dirname "$0")/../not-in-effect ]]
EOF
# A cloud without aggregates, with services that are named like the hosts
cat >bin/openstack <<'EOF'
#!/bin/bash
echo "openstack ${*:3}" >>"$(dirname "$0")/../log"
case "$3 $4" in
    "aggregate show") exit 1 ;;
    "hypervisor show") echo "$5" ;;
esac
EOF
for program in apt-cache ovs-vsctl update-alternatives; do
    cat >"bin/$program" <<'EOF'
#!/bin/bash
echo "${0##*/} $*" >>"$(dirname "$0")/../log"
[[ ${0##*/} != apt-cache ]] || echo '  Recommends: librte-mempool-ring25'
EOF
done
chmod +x bin/*

# end - ends what would outlive the namespaces.
function end {
    kill "$SSHD"
    cat guests/* 2>/dev/null | xargs -r kill
}

# start_guest NAME FILE - starts a guest that has its memory in FILE.
function start_guest {
    tail -f "$2" >/dev/null 2>&1 &
    echo $! >"guests/$1"
}

function log {
    echo "$*" >>"$ROOT/log"
}

function install_package {
    log "install_package $*"
}

function pip_install {
    log "pip_install $*"
}

function pip_uninstall {
    log "pip_uninstall $*"
}

function restart_service {
    log "restart_service $*"
}

function async_wait {
    rm -f "background/$1"
}

function stop_process {
    log "stop_process $*"
}

# whether libvirt is virtqemud
function systemctl {
    [[ -e $ROOT/modular ]]
}

function define_plugin {
    :
}

function is_fedora {
    return 1
}

function die {
    echo "[ERROR] ${*:2}" >&2
    exit 1
}

function is_ubuntu {
    [[ ! -e $ROOT/fedora ]]
}

# Like DevStack's, it returns the status of what was before it.
function warn {
    local status=$?
    echo "[WARNING] $2" >&2
    return $status
}

function trueorfalse {
    echo "${!2:-$1}"
}

function is_service_enabled {
    local service

    for service in "$@"; do
        [[ ,$ENABLED_SERVICES, != *,$service,* ]] || return 0
    done
    return 1
}

# An option that is set again comes after the first, and a reader takes it.
function iniset {
    [[ $1 != "$NOVA_CONF" || ! -e background/configure_neutron_nova ]] \
        || die $LINENO "configure_neutron_nova is writing $NOVA_CONF, too"
    printf '[%s]\n%s = %s\n' "$2" "$3" "$4" >>"$1"
}

function iniset_multiline {
    local value

    for value in "${@:4}"; do
        iniset "$1" "$2" "$3" "$value"
    done
}

# phase WORD... - one phase of DevStack.
function phase {
    # shellcheck source=devstack/settings
    source "$PLUGIN/settings"
    # shellcheck source=devstack/plugin.sh
    source "$PLUGIN/plugin.sh" "$@"
}

function stack {
    rm -f "$NOVA_CONF" "$NOVA_CPU_CONF" "$TEMPEST_CONFIG"
    phase stack pre-install
    iniset "$NOVA_CONF" DEFAULT compute_driver libvirt.LibvirtDriver
    phase stack install
    touch background/configure_neutron_nova
    phase stack post-config
    cp "$NOVA_CONF" "$NOVA_CPU_CONF"
    phase stack extra
    touch "$TEMPEST_CONFIG"
    phase stack test-config
}

# unstack - DevStack ignores errors there.
function unstack {
    set +e
    phase unstack
    set -e
}

function clean {
    set +e
    phase clean
    set -e
}

# snapshot - prints all that the plugin may have left behind, but for the
# number of pages: others may change that, too.
function snapshot {
    findmnt --noheadings --raw --output TARGET,SOURCE,FSTYPE
    find /dev /etc /run /var/lib data guests home nova ! -name 'loop[0-9]*' \
        | sort
    cat qemu.conf
}
