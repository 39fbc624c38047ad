# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Builds the documentation site into ``.venv/site``; any warning fails. Start it as ``./test docsite``.

The guides are the Markdown of ``docs``, which is read on GitHub as well; the reference comes from the plugins and roles.
Nothing is fetched. Runs in an environment that has antsibull-docs and Sphinx.
"""

from __future__ import annotations

import os
import posixpath
import re
import shutil
import sys
from pathlib import Path

from bootstrap import CHECKOUT, VENV
from process import call

DOCS = CHECKOUT / "docs"
SITE = VENV / "site"
BROWSE = "https://github.com/emailsec/cloudflare/blob/main"
# Where the target of a Markdown link stands: [text](target) and [label]: target
LINK = re.compile(r"(\]\(|^\[[^\]]+\]: )([^)\s]+)", re.MULTILINE)
# What has a page in the site, although it lies outside of docs.
PAGES = {
    r"plugins/modules/(\w+)\.py": r"../reference/\1_module.rst",
    r"plugins/(filter|inventory|lookup)/(\w+)\.py": r"../reference/\2_\1.rst",
    r"roles/(\w+)/README\.md": r"../reference/\1_role.rst",
    r"CHANGELOG\.rst": "../changelog.rst",
}
# Plugins that are documented, but that users do not build on.
INTERNAL = ("merged_reports", "quarantine_release_stage", "workflow_outcome")


class DeadLink(Exception):
    """A guide links to a file that is not there."""


def main() -> int:
    """Gather the pages, and make a site of them with Sphinx."""
    source = SITE / "source"
    shutil.rmtree(SITE, ignore_errors=True)
    shutil.copytree(DOCS / "site", source)
    gather(source / "guides")
    shutil.copy2(CHECKOUT / "CHANGELOG.rst", source / "changelog.rst")
    reference = source / "reference"
    reference.mkdir(mode=0o755)
    _run("antsibull-docs", "collection", "--use-current", "--squash-hierarchy", "--fail-on-error",
         "--dest-dir", str(reference), "emailsec.cloudflare")  # fmt: skip
    index = reference / "index.rst"
    index.write_text(shortened(index.read_text(encoding="utf-8")), encoding="utf-8")
    _run("sphinx-build", "-b", "html", "--quiet", "--fail-on-warning", "--keep-going", str(source), str(SITE / "html"))
    print(f"The documentation site: {(SITE / 'html' / 'index.html').as_uri()}")
    return 0


def gather(guides: Path) -> None:
    """Copy the guides and their images, with links that hold where the copies are."""
    shutil.copytree(DOCS / "images", guides / "images")
    for folder in ("", "development"):
        (guides / folder).mkdir(exist_ok=True)
        for guide in sorted((DOCS / folder).glob("*.md")):
            (guides / folder / guide.name).write_text(
                linked(guide.read_text(encoding="utf-8"), folder), encoding="utf-8"
            )


def linked(text: str, folder: str = "") -> str:
    """Return the text of a guide. Its links to files outside docs lead to pages of the site, or else to GitHub.

    folder: where in docs the guide is.
    """
    return LINK.sub(lambda link: link[1] + _target(link[2], folder), text)


def _target(link: str, folder: str) -> str:
    path, mark, anchor = link.partition("#")
    if not path.startswith("../"):
        return link  # within docs: Sphinx checks it
    name = posixpath.normpath(posixpath.join("docs", folder, path))
    if not (CHECKOUT / name).exists():
        raise DeadLink(f"docs links to {path}, which is not there")
    if re.fullmatch(r"docs/.*\.(md|svg|png)", name):
        return link
    for pattern, page in PAGES.items():
        if found := re.fullmatch(pattern, name):
            return ("../" if folder else "") + found.expand(page)
    return f"{BROWSE}/{name}{mark}{anchor}"


def shortened(index: str) -> str:
    """Return the index of the reference with short names for its pages, and what is internal at its end."""
    index = re.sub(
        r"^( +)(\w+)_(module|role|filter|inventory|lookup)$", r"\1\2 (\3) <\2_\3>", index, flags=re.MULTILINE
    )
    internal = re.compile(rf"^(?:\* :ansplugin:`| +)(?:{'|'.join(INTERNAL)}) .*\n", re.MULTILINE)
    lines = internal.findall(index)
    entries = "".join(line for line in lines if line.startswith("*"))
    pages = "".join(line for line in lines if not line.startswith("*"))
    return (
        f"{internal.sub('', index)}\n\nInternal\n--------\n\nParts of the role and the playbooks. They may change at any time.\n\n"
        f"{entries}\n.. toctree::\n    :maxdepth: 1\n    :hidden:\n\n{pages}"
    )


def _run(program: str, *arguments: str) -> None:
    """Run a program of the environment, and exit if it fails."""
    command = [str(Path(sys.executable).with_name(program)), *arguments]
    if code := call(command, cwd=CHECKOUT, env=dict(os.environ)):
        sys.exit(f"{program} ended with {code}")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except DeadLink as problem:
        sys.exit(str(problem))
