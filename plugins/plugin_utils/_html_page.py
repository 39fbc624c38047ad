# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module is private to the collection.

"""Pages of HTML that need nothing else. They make no requests, and run only their own script."""

from __future__ import annotations

import base64
import hashlib
import typing as t
from pathlib import Path

import jinja2

_PARTS = Path(__file__).parent / "report"


def html_page(name: str, images: bool = False, styles: t.Sequence[str] = ("report.css",), **values: t.Any) -> str:
    """Return a page made of the template with this name. images: whether it has some."""
    style = "".join((_PARTS / file).read_text(encoding="utf-8") for file in styles)
    script = (_PARTS / "report.js").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_PARTS),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    shown = "img-src data:; " if images else ""
    policy = f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; {shown}base-uri 'none'; form-action 'none'"
    return environment.get_template(name).render(style=style, script=script, policy=policy, **values)


def _hash(text: str) -> str:
    """Return the source expression by which a Content-Security-Policy admits an inline element."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
