# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guides are right on GitHub and in the documentation site: every link leads somewhere in both."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest
from ansible_collections.emailsec.cloudflare.tests.unit.test_structure import ROOT

GUIDES = sorted((ROOT / "docs").glob("*.md"))
PAGES = sorted(
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("roles/*/README.md")]
)


# The front page of the site links to what the build gathers, and the build checks that.
@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.parent.name != "site"], ids=lambda path: str(path.relative_to(ROOT))
)
def test_every_file_that_a_page_links_to_is_there(tool: t.Callable[[str], t.Any], page: Path) -> None:
    links = tool("docsite").LINK.findall(page.read_text(encoding="utf-8"))
    files = {link.partition("#")[0] for _before, link in links if not re.match("[a-z]+:|#", link)}
    assert [file for file in sorted(files) if not (page.parent / file).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_can_be_copied_as_they_are(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"^ *```console$", text, re.MULTILINE)
    assert not re.search(r"^ *\$ ", text, re.MULTILINE), "a prompt is copied along"


def test_the_readme_links_to_every_guide() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [guide.name for guide in GUIDES if f"(docs/{guide.name})" not in readme] == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[x](releasing.md#brakes)", "[x](releasing.md#brakes)"),
        ("[x](https://a.example/../b)", "[x](https://a.example/../b)"),
        ("[x](../plugins/modules/message_info.py)", "[x](../reference/message_info_module.rst)"),
        ("[x](../plugins/filter/report_csv.py)", "[x](../reference/report_csv_filter.rst)"),
        ("[x](../roles/quarantine_release/README.md)", "[x](../reference/quarantine_release_role.rst)"),
        (
            "[x](../README.md#description)",
            "[x](https://github.com/emailsec/cloudflare/blob/main/README.md#description)",
        ),
        ("[x][y]: ../releasing", "[x][y]: ../releasing"),
        ('[x]: ../SECURITY.md "why"', '[x]: https://github.com/emailsec/cloudflare/blob/main/SECURITY.md "why"'),
    ],
)
def test_links_out_of_the_guides_lead_to_pages_or_to_github(
    tool: t.Callable[[str], t.Any], text: str, expected: str
) -> None:
    assert tool("docsite").linked(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[x](../security.md#who)", "[x](../security.md#who)"),
        ("[x](../../plugins/modules/message_info.py)", "[x](../../reference/message_info_module.rst)"),
        ("[x](../../SECURITY.md)", "[x](https://github.com/emailsec/cloudflare/blob/main/SECURITY.md)"),
    ],
)
def test_links_of_a_page_for_developers(tool: t.Callable[[str], t.Any], text: str, expected: str) -> None:
    assert tool("docsite").linked(text, "development") == expected


def test_what_is_internal_is_at_the_end_of_the_reference(tool: t.Callable[[str], t.Any]) -> None:
    index = """\
* :ansplugin:`delivery filter <a.b.delivery#filter>` -- Where it is
* :ansplugin:`workflow_outcome filter <a.b.workflow_outcome#filter>` -- Show it

.. toctree::
    :hidden:

    delivery_filter
    workflow_outcome_filter
"""
    public, internal = tool("docsite").shortened(index).split("Internal\n")
    assert "`delivery filter " in public
    assert "    delivery (filter) <delivery_filter>\n" in public
    assert "workflow_outcome" not in public
    assert "`workflow_outcome filter " in internal
    assert "    workflow_outcome (filter) <workflow_outcome_filter>\n" in internal


def test_a_dead_link_ends_the_build(tool: t.Callable[[str], t.Any]) -> None:
    docsite = tool("docsite")
    with pytest.raises(docsite.DeadLink, match=r"nowhere\.md"):
        docsite.linked("[x](../nowhere.md)")
