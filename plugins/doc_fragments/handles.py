# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """The options of modules that take a list of messages. Each module documents messages itself."""

    DOCUMENTATION = r"""
options:
  messages_file:
    description:
      - Path of a file that lists the messages, instead of O(messages). A relative path is taken from the directory of the
        playbook.
      - The file is either text with one id or Message-ID on each line, or CSV with a header. CSV fields can be separated by
        commas, semicolons or tabs. The encoding is UTF-8, with or without a byte order mark, or UTF-16 with one.
      - Blank lines are skipped. If a line is not an id or a Message-ID, the task fails, names the line and the reason, and
        uses none of the lines. Comments are not supported.
      - With an empty file, the module does nothing. The file must be a regular file of at most 16 MiB.
      - Ansible never evaluates the content of the file as a template. Use this option for ids from outside, such as Message-IDs,
        which the sender of a message chooses.
    type: path
    version_added: 0.5.0
  messages_column:
    description:
      - Name of the column of O(messages_file) that holds the ids. Case is ignored. The file is then read as CSV.
      - If not set, the first column called C(id), C(postfix_id), C(message_id) or C(Message-ID) is used. A file without such
        a column is read as text.
    type: str
    version_added: 0.5.0
"""
