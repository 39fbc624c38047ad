# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """The options of every module that declares a settings list."""

    DOCUMENTATION = r"""
options:
  purge:
    description:
      - Whether to delete the entries that are not in O(entries), and duplicates of those that are.
    type: bool
    default: false
  max_deletions:
    description:
      - Fail, and change nothing, if more entries than this would be deleted.
      - All deletions count, those of O(entries[].state=absent), of O(purge), of duplicates and of expired entries.
    type: int
    default: 10
  allow_broad:
    description:
      - Whether entries that are created or changed may be so broad that they are most likely a mistake.
      - Without it, the task fails and changes nothing if such an entry matches all mail, a large part of the Internet (such as
        V(0.0.0.0/0)) or, in an allow list, every domain below a public suffix (such as V(com) or V(co.uk)), or if it bypasses
        every detection for a whole domain.
      - Common public suffixes are recognized, not all of them.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
    details: Reads the list, checks everything, and predicts the result.
  diff_mode:
    support: full
  idempotent:
    support: full
notes:
  - Everything is checked before the first change. A change without a plain answer is never repeated before the list was read again.
  - An entry is found by its key. To change the key, declare the new entry, and the old one with O(entries[].state=absent).
  - Texts need quotes if YAML could take them for a number, a boolean or a date.
seealso:
  - module: emailsec.cloudflare.settings_info
"""

    # For lists whose entries have comments.
    EXPIRY = r"""
options:
  remove_expired:
    description:
      - Whether to delete every entry of the list whose mark of expiry is past, also those that are not in O(entries).
      - An entry that O(entries) declares without O(entries[].expires) stays.
    type: bool
    default: false
"""
