# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a module's main() in this process, as Ansible would: arguments in, printed JSON out."""

from __future__ import annotations

import contextlib
import importlib
import json
import typing as t
from unittest import mock

from ansible.module_utils import basic

try:
    from ansible.module_utils.testing import patch_module_args
except ImportError:  # before ansible-core 2.18

    @contextlib.contextmanager
    def patch_module_args(args: dict[str, t.Any] | None = None) -> t.Iterator[None]:
        """Do what its namesake in later versions does."""
        with mock.patch.object(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": args}).encode()):
            yield


MODULES = "ansible_collections.emailsec.cloudflare.plugins.modules"


class Finished(t.NamedTuple):
    """How a module ended. printed: all it wrote to stdout and stderr."""

    result: dict[str, t.Any]
    printed: str

    @property
    def failed(self) -> bool:
        """Tell whether the task failed."""
        return bool(self.result.get("failed"))

    @property
    def statuses(self) -> list[str]:
        """Return the status of each message of a release."""
        return [row["status"] for row in self.result["messages"]]


def run_module(capsys: t.Any, clock: object, name: str, options: dict[str, t.Any], **internal: t.Any) -> Finished:
    """Run a module with these options. internal: Ansible's own settings, such as check_mode=True."""
    module = importlib.import_module(f"{MODULES}.{name}")
    arguments = {**options, **{f"_ansible_{key}": value for key, value in internal.items()}}
    arguments.setdefault("_ansible_remote_tmp", "/tmp")
    arguments.setdefault("_ansible_keep_remote_files", False)
    capsys.readouterr()
    with patch_module_args(arguments), mock.patch.object(module, "Clock", return_value=clock):
        try:
            module.main()
        except SystemExit:
            pass
        else:
            raise AssertionError("main() returned without a result")
    out, err = capsys.readouterr()
    return Finished(json.loads(out), out + err)
