# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records the results of all tasks and the recap, for the tests; what a person sees is left as it is."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: record
type: aggregate
short_description: Records results for tests
description: Writes one JSON object a line to the file that RECORD names.
"""


class CallbackModule(CallbackBase):
    """Appends to the file RECORD."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "record"

    def v2_runner_on_ok(self, result: Any) -> None:
        self._result(result, failed=False)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._result(result, failed=True)

    def _result(self, result: Any, failed: bool) -> None:
        outcome = {**result._result, "failed": failed}
        self._write(host=result._host.get_name(), task=result._task.get_name(), result=outcome)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        recap = {host: stats.summarize(host) for host in stats.processed}
        self._write(recap=recap, artifacts=stats.custom.get("_run", {}))

    def _write(self, **line: Any) -> None:
        with Path(os.environ["RECORD"]).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, default=str) + "\n")
