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

# What the tests do to a configuration file ($2); $1 says what. The file that
# they found stays beside it, under a name of its own, until the last process
# that was started with another one is gone.

set -eu

config=$(readlink -f -- "$2")
original=$config.mempage-original
new=$config.mempage-new

case $1 in
keep)
    # A link is there as a whole or not at all, has the file's mode and owner,
    # and never takes the place of an original that was kept before.
    ln -T -- "$config" "$original"
    cat -- "$original"
    ;;
install)
    cp -aT -- "$config" "$new"
    cat >"$new"
    mv -fT -- "$new" "$config"
    ;;
put-back)
    cp -aT -- "$original" "$new"
    mv -fT -- "$new" "$config"
    ;;
forget)
    rm -f -- "$original"
    ;;
is-kept)
    if [ -e "$original" ]; then
        echo yes
    fi
    ;;
esac
