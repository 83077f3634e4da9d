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

"""Runs steps that depend on one another, as parallel as they can be."""

import concurrent.futures
import graphlib

from mempage_lab import errors


def run(tasks, progress):
    """Run all tasks; what does not depend on a failed one is still run.

    :param tasks: dict of name to (function without arguments, names of the
        tasks that must have ended well before)
    :param progress: a :class:`mempage_lab.progress.Progress`
    :raises LabError: with the texts of all failures
    """
    sorter = graphlib.TopologicalSorter(
        {name: after for name, (_, after) in tasks.items()})
    sorter.prepare()
    failures = {}
    pool = concurrent.futures.ThreadPoolExecutor(max_workers=32)
    futures = {}
    try:
        while sorter.is_active():
            for name in sorter.get_ready():
                futures[pool.submit(_run_one, name, tasks[name][0],
                                    progress)] = name
            if not futures:
                break
            done, _ = concurrent.futures.wait(
                futures, return_when=concurrent.futures.FIRST_COMPLETED)
            for future in done:
                name = futures.pop(future)
                if future.exception() is None:
                    sorter.done(name)
                else:
                    failures[name] = future.exception()
    finally:
        # After Ctrl-C nobody wants to wait for what still runs.
        pool.shutdown(wait=False, cancel_futures=True)
    if failures:
        _raise(failures)


def _run_one(name, function, progress):
    with progress.step(name):
        function()


def _raise(failures):
    for error in failures.values():
        if not isinstance(error, (errors.LabError, OSError)):
            raise error
    raise errors.LabError('\n'.join(
        '%s: %s' % item for item in failures.items()))
