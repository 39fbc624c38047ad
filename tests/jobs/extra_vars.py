# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The extra variables of a job as AWX makes them: which value wins, and which are marked as unsafe.

What is said here of AWX is what its sources say (github.com/ansible/awx, branch devel of October 2024); nothing is copied.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

# awx/main/constants.py: each of its own variables comes twice
PREFIXES = ("awx", "tower")


class _Unsafe(yaml.SafeDumper):
    """Marks each text, also each name, as not to be taken for a template."""


_Unsafe.add_representer(str, lambda dumper, text: dumper.represent_scalar("!unsafe", text))


def extra_vars_text(template: Mapping[str, Any], launch: Mapping[str, Any], own: Mapping[str, Any]) -> str:
    """The text of env/extravars.

    template: the extra variables of the job template; launch: what comes on top of them at the launch, such as answers
    and artifacts; own: what AWX adds. A later one wins (awx/main/models/mixins.py, _update_unified_job_kwargs, and
    awx/main/tasks/jobs.py, build_extra_vars_file). A variable is trusted, and may be a template, only with a name and a
    value that the job template gives it (awx/main/utils/safe_yaml.py, safe_dump; ALLOW_JINJA_IN_EXTRA_VARS: template).
    """
    texts = []
    for name, value in {**template, **launch, **own}.items():
        trusted = name in template and template[name] == value
        dumper = yaml.SafeDumper if trusted else _Unsafe
        texts.append(yaml.dump({name: value}, Dumper=dumper, default_flow_style=False))
    return "".join(texts)


def own_vars(traits: Mapping[str, Any]) -> dict[str, Any]:
    """What AWX adds to each job: these traits with its prefixes (awx/main/models/unified_jobs.py, awx_meta_vars)."""
    return {f"{prefix}_{name}": value for prefix in PREFIXES for name, value in traits.items()}
