# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The output of the demo: like Ansible's own, without the tasks that succeeded and have nothing to show."""

from __future__ import annotations

from ansible.executor.task_result import CallbackTaskResult
from ansible.plugins.callback.default import CallbackModule as Default

DOCUMENTATION = r"""
name: brief
type: stdout
short_description: Shows what changed, what failed and what has something to say
description:
  - As the callback default, less the tasks that changed nothing.
extends_documentation_fragment:
  - default_callback
  - result_format_callback
"""


class CallbackModule(Default):
    """Ansible's default, with less to read."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "brief"

    def v2_runner_on_ok(self, result: CallbackTaskResult) -> None:
        """Show a task that changed something or says something."""
        if _tells(result):
            super().v2_runner_on_ok(result)

    def v2_runner_item_on_ok(self, result: CallbackTaskResult) -> None:
        """Show an item of a loop by the same rule."""
        if _tells(result):
            super().v2_runner_item_on_ok(result)

    def v2_playbook_on_include(self, included_file: object) -> None:
        """Show no file that is included: its tasks show themselves."""


def _tells(result: CallbackTaskResult) -> bool:
    return bool(result.result.get("changed") or result.result.get("_ansible_verbose_always"))
