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

"""What [DEFAULT] reserved_huge_pages must be."""


def all_but(survey, guests, ram_mib):
    """Reserve all large pages of a host but some of one size on one node.

    :param survey: a survey of the host
    :param guests: the pools.Pool in which guests may have pages
    :param ram_mib: how much RAM they may have there
    :returns: list of the option's values
    """
    left = {(guests.node, guests.size_kib): ram_mib * 1024 // guests.size_kib}
    return ['node:%d,size:%d,count:%d' % (
        pool.node, pool.size_kib,
        max(0, pool.total - left.get((pool.node, pool.size_kib), 0)))
        for pool in survey.pools]
