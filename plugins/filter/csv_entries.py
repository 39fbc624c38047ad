# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: csv_entries
short_description: Turn the CSV of another product into entries of a settings list
version_added: 0.5.0
description:
  - Turns the text of a CSV file into entries for M(emailsec.cloudflare.block_senders), M(emailsec.cloudflare.allow_policies) or
    M(emailsec.cloudflare.trusted_domains), or for the variables of the role P(emailsec.cloudflare.settings#role).
  - The delimiter may be a comma, a semicolon, a tab or C(|). The first line may say it, as C(sep=;). A byte order mark, Windows line
    ends, blank lines, lines that begin with C(#), and blanks around a cell do not count.
  - C(a@b.example), C(Name <a@b.example>) and C(mailto:a@b.example) become an entry with C(pattern_type) V(EMAIL). C(b.example),
    C(@b.example) and C(*@b.example) become V(DOMAIN), and IP addresses and CIDR blocks become V(IP). All of them are in lower case,
    international domains in their form C(xn--), and without a dot at their end.
  - Addresses with C(*) before the C(@), and C(*.b.example), become a regular expression with the same meaning. C(*.b.example) means the
    sub-domains of C(b.example), but not C(b.example) itself. For V(trusted_domains), wildcards are refused.
  - Everything else could mean more than one thing and is refused, such as C(*word*), C(.b.example), URLs, and what looks like a regular
    expression. The error names each line.
  - Of lines with the same entry, as Cloudflare compares entries, the first one counts. A warning names the others.
  - Text of the CSV is data. Ansible does not evaluate it as a template.
author:
  - emailsec.cloudflare contributors (@emailsec)
positional: _input, kind
options:
  _input:
    description: The text of the CSV file, as UTF-8.
    type: str
    required: true
  kind:
    description: The list that the entries are for.
    type: str
    choices: [allow_policies, block_senders, trusted_domains]
    required: true
  column:
    description:
      - The column with the patterns, by its name in the first line or by its number, from 1.
      - Not needed if there is one column, or if exactly one has a usual heading, such as C(Sender), C(Email), C(Address), C(Domain),
        C(IP), C(Pattern) or C(Value).
      - With a number, the first line is a heading only if it has a usual one there. Give the name of any other heading.
    type: raw
  comments_column:
    description: The column that becomes the C(comments) of the entries, by its name or number.
    type: raw
  fields:
    description: Fields for all entries, such as C(is_acceptable_sender). The C(comments) are for entries without their own.
    type: dict
    default: {}
  expires:
    description: The C(expires) of all entries, such as V(2026-12-10).
    type: str
  skip_refused:
    description:
      - Leave out the lines that are refused, and name them in a warning.
      - Without it, one of them is an error. It is an error in any case if all lines are refused.
    type: bool
    default: false
seealso:
  - module: emailsec.cloudflare.allow_policies
  - module: emailsec.cloudflare.block_senders
  - module: emailsec.cloudflare.trusted_domains
"""

EXAMPLES = r"""
- name: Block the senders that the former product blocked
  emailsec.cloudflare.block_senders:
    entries: "{{ lookup('ansible.builtin.file', 'blocked.csv') | emailsec.cloudflare.csv_entries('block_senders') }}"

- name: Accept for some weeks what the former product let through
  emailsec.cloudflare.allow_policies:
    entries: >-
      {{ lookup('ansible.builtin.file', 'allowed.csv')
         | emailsec.cloudflare.csv_entries('allow_policies', column='Absender', comments_column='Notiz',
                                           fields={'is_acceptable_sender': true}, expires='2026-12-31') }}
"""

RETURN = r"""
_value:
  description: The entries.
  type: list
  elements: dict
  sample: [{"pattern": "phisher@attacker.example", "pattern_type": "EMAIL", "comments": "INC-4711"}]
"""

import typing as t

from ansible.errors import AnsibleFilterError
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.utils.display import Display
from ansible.utils.unsafe_proxy import wrap_var

from ..module_utils._errors import InputError
from ..module_utils._text import ended, first_few
from ..plugin_utils._settings.csv_entries import csv_entries


def _entries(
    text: str,
    kind: str,
    column: str | int | None = None,
    comments_column: str | int | None = None,
    fields: dict[str, t.Any] | None = None,
    expires: str | None = None,
    skip_refused: bool = False,
) -> t.Any:
    if not isinstance(text, str):
        raise AnsibleFilterError("csv_entries needs the text of a CSV file.")
    if fields is not None and not isinstance(fields, t.Mapping):
        raise AnsibleFilterError("The option fields of csv_entries must be a dictionary. Nothing was sent.")
    try:
        skips = boolean(skip_refused)
    except TypeError:
        raise AnsibleFilterError(
            "The option skip_refused of csv_entries must be true or false. Nothing was sent."
        ) from None
    try:
        found = csv_entries(text, kind, column, comments_column, fields or {}, expires)
    except InputError as error:
        raise AnsibleFilterError(f"The CSV cannot be used: {ended(str(error))} Nothing was sent.") from None
    if found.refused and not (skips and found.entries):
        raise AnsibleFilterError(f"The CSV cannot be used: {first_few(found.refused)}. Nothing was sent.")
    for words, lines in (("Refused", found.refused), ("Repeated", found.repeated)):
        if lines:
            Display().warning(f"{words} lines of the CSV for {kind} are left out: {first_few(lines)}.")
    return wrap_var(found.entries)


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"csv_entries": _entries}
