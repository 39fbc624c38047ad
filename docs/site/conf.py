# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How Sphinx makes the documentation site. tests/tools/docsite.py gathers the pages; ``./test docsite`` runs both."""

from __future__ import annotations

import re
import typing as t

from docutils import nodes

if t.TYPE_CHECKING:
    from sphinx.addnodes import pending_xref
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

project = "emailsec.cloudflare"
author = "emailsec.cloudflare contributors"
project_copyright = f"2026 {author}"
html_title = "Cloudflare Email Security for Ansible"

extensions = ["myst_parser", "sphinx_antsibull_ext", "sphinx_copybutton"]
myst_enable_extensions = ["colon_fence"]
# Output is for reading.
copybutton_selector = "div.highlight:not(.highlight-text *) pre"
myst_heading_anchors = 4
nitpicky = True
# A guide may leave out a level of headings.
suppress_warnings = ["myst.header"]

pygments_style = "ansible"
html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_use_index = False
# The reference's tables in the theme's own colours; those that antsibull-docs brings are for white paper only.
TABLES = {
    "antsibull-table-background-header": "var(--color-background-secondary)",
    "antsibull-table-background-even": "var(--color-background-secondary)",
    "antsibull-table-background-odd": "var(--color-background-primary)",
    "antsibull-table-border": "var(--color-background-border)",
    "antsibull-narrowtable-background": "var(--color-background-secondary)",
    "antsibull-links-background": "#1f6f71",
    "antsibull-links-background-active": "#175456",
}
DARK = {
    "antsibull-option-type": "#d2a8ff",
    "antsibull-option-elements": "#d2a8ff",
    "antsibull-option-required": "#ff7b72",
    "antsibull-option-version-added": "#7ee787",
    "antsibull-option-aliases": "#7ee787",
    "antsibull-option-default": "#79c0ff",
    "antsibull-option-sample": "#79c0ff",
    "antsibull-option-sample-header": "inherit",
    "antsibull-attribute-support-none": "#ff7b72",
    "antsibull-attribute-support-full": "#7ee787",
}
html_theme_options = {
    "top_of_page_buttons": [],
    "light_css_variables": TABLES,
    "dark_css_variables": TABLES | DARK,
}

# What the reference names of Ansible's own documentation. It is linked by these rules, as the site is built without a
# network, and so without the inventories of intersphinx.
ANSIBLE = "https://docs.ansible.com/projects/ansible/latest/"
ANSIBLE_PAGES = {
    "action_plugins": "plugins/action.html",
    "ansible_configuration_settings": "reference_appendices/config.html",
    "common_return_values": "reference_appendices/common_return_values.html",
    "intro_dynamic_inventory": "inventory_guide/intro_dynamic_inventory.html",
}
ANSIBLE_PLUGIN = re.compile(r"ansible_collections\.(?!emailsec\.)(\w+)\.(\w+)\.(\w+?_[a-z]+)(?:__.*)?\Z")


def ansible_page(label: str) -> str | None:
    """Return the page of Ansible's documentation that has this label or environment variable, or None if it is not known."""
    if plugin := ANSIBLE_PLUGIN.match(label):
        return "collections/{}/{}/{}.html".format(*plugin.groups())
    if re.fullmatch("ANSIBLE_[A-Z_]+", label):
        return f"reference_appendices/config.html#envvar-{label}"
    return ANSIBLE_PAGES.get(label)


def link_ansible(
    _app: Sphinx, _environment: BuildEnvironment, wanted: pending_xref, text: nodes.TextElement
) -> nodes.reference | None:
    """Return a link to Ansible's documentation for a label that is not ours."""
    page = ansible_page(wanted["reftarget"])
    return nodes.reference("", "", text, refuri=ANSIBLE + page, internal=False) if page else None


def label_cells(_app: Sphinx, tree: nodes.document, _name: str) -> None:
    """Put the title of its column into each cell of a guide's tables. A phone shows it, as there each row is a list."""
    for table in tree.findall(nodes.table):
        heads = [head.astext() for head in table.findall(nodes.thead) for head in head.findall(nodes.entry)]
        if not heads or "ansible-option-table" in table["classes"]:
            continue
        for row in next(table.findall(nodes.tbody)).findall(nodes.row):
            for head, cell in list(zip(heads, row.findall(nodes.entry)))[1:]:
                if head and cell.astext():
                    cell.insert(0, nodes.paragraph("", head, classes=["column"]))


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("missing-reference", link_ansible)
    app.connect("doctree-resolved", label_cells)
