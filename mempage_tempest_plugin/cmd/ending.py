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

"""How commands end: a line says why, whatever stops them."""

import errno
import os
import sys
import traceback

from oslo_config import cfg
from tempest.lib import exceptions as lib_exc
import urllib3

#: Exit status of who was interrupted, as of shells.
INTERRUPTED = 130
#: Exit status if stdout takes nothing any more; as of shells, if its reader
#: has seen enough.
UNTOLD = 141


def call(program, function, arguments, failed=1,
         fault='this is a fault of the program, or of the machine that it '
               'runs on'):
    """Call what a command does, and say what stopped it.

    :param program: the name of the command
    :param function: function of the arguments that returns the exit status
    :param arguments: the parsed command line
    :param failed: exit status if something could not be done
    :param fault: what is said after the traceback of what nobody foresaw
    :returns: exit status
    """
    unforeseen = None
    try:
        status = function(arguments)
    except (lib_exc.TempestException, cfg.Error) as error:
        status = _say(program, error, failed)
    except urllib3.exceptions.HTTPError as error:
        status = _say(program, 'the cloud does not answer: %s' % error,
                      failed)
    except KeyboardInterrupt:
        status = _say(program, 'interrupted', INTERRUPTED)
    except Exception as error:
        status, unforeseen = failed, error
    refusal = _refusal_of_stdout(isinstance(unforeseen, OSError))
    if refusal is None:
        if getattr(unforeseen, 'filename', None):
            _say(program, '%s: %s' % (unforeseen.filename,
                                      unforeseen.strerror))
        elif unforeseen:
            # Without this, a log of Tempest has it, and nobody else.
            traceback.print_exception(unforeseen)
            _say(program, fault)
        return status
    if refusal.errno != errno.EPIPE:
        _say(program, 'stdout: %s' % refusal.strerror)
    return UNTOLD


def _say(program, text, status=None):
    print('%s: %s' % (program, text), file=sys.stderr)
    return status


def _refusal_of_stdout(again):
    """Write what is left to stdout.

    :param again: whether something failed that may have been this
    :returns: an OSError if it takes nothing; None if all is well
    """
    try:
        # There is none after ">&-".
        if sys.stdout:
            # What could not be written may be gone from its buffer.
            sys.stdout.write('\n' if again else '')
            sys.stdout.flush()
    except OSError as error:
        # Python would flush once more at its end, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return error
    return None
