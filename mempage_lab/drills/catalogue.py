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

"""All drills by name."""

from mempage_lab.drills import of_configuration
from mempage_lab.drills import of_consumers
from mempage_lab.drills import of_guests
from mempage_lab.drills import of_hosts
from mempage_lab.drills import of_moves
from mempage_lab.drills import of_nova
from mempage_lab.drills import of_operations

DRILLS = {**of_configuration.DRILLS, **of_nova.DRILLS, **of_moves.DRILLS,
          **of_operations.DRILLS, **of_guests.DRILLS, **of_hosts.DRILLS,
          **of_consumers.DRILLS}
