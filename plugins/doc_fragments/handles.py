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
        commas, semicolons or tabs.
      - The encoding is UTF-8 or UTF-16, with or without a byte order mark. In other encodings, such as Windows-1252, the handles
        must have ASCII characters only.
      - Blank lines are skipped. Comments are not supported. If a line is not an ID or a
        Message-ID, the task fails, names the line and the reason, and uses none of the lines.
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
notes:
  - Since release 0.5.0, handles can be given as people paste them. White space, quotes, backticks, byte order marks and zero-width
    characters around a handle are removed, and a comma, a semicolon or a full stop after it. C(%3A) in an ID becomes a colon. What
    chat and mail programs make of a Message-ID is undone, such as C(<mailto:a1@sender.example|a1@sender.example>) and
    C(&lt;a1@sender.example&gt;).
  - If something else in a handle cannot be a part of it, the task fails before it sends a request. The error names the handle and
    the character. A list that is understood only in part is not used at all.
  - Text in angle brackets is a Message-ID, also without an @ or with blanks, of up to 998 octets. An ID without them that
    Cloudflare does not know is looked up as a Message-ID before it counts as unknown.
  - O(messages) also accepts messages as M(emailsec.cloudflare.message_info) returns them, each with an C(id). A string in place of
    a list can be a JSON list, or have commas, semicolons or line breaks between the handles. A string that ends in a comma or a
    semicolon is an error, because a part of it may be missing.
"""
