# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Options of every module that takes a list of messages. Each module documents messages itself."""

    DOCUMENTATION = r"""
options:
  messages_file:
    description:
      - Path of a file that lists the messages, as an alternative to O(messages). A relative path starts at the directory of
        the playbook.
      - The file is either text with one ID or Message-ID per line, or CSV with a header. CSV fields can be separated by
        commas, semicolons or tabs. The encoding is UTF-8, with or without a byte order mark, or UTF-16 with one.
      - Blank lines are skipped. Comments are not supported. If a line is not an ID or a Message-ID, the task fails, names the
        line and the reason, and uses none of the lines.
      - The file must be a regular file of at most 16 MiB. With an empty file, the module does nothing.
      - Ansible never evaluates the content of the file as a template. Use this option for IDs that come from outside, such as
        Message-IDs, which are chosen by the sender of a message.
    type: path
    version_added: 0.5.0
  messages_column:
    description:
      - Name of the column of O(messages_file) that holds the IDs. Case is ignored. If set, the file is always read as CSV.
      - If not set, the first column named C(id), C(postfix_id), C(message_id) or C(Message-ID) is used. A file without such
        a column is read as text.
    type: str
    version_added: 0.5.0
"""
