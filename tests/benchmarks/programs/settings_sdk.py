# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes a list have the entries of a file with Cloudflare's Python SDK: lists, compares, and sends what differs."""

import json
import os
import sys
from typing import Any

import cloudflare

with open(sys.argv[1], encoding="utf-8") as file:
    given = json.load(file)
account, size = os.environ["CLOUDFLARE_ACCOUNT_ID"], given["batch_size"]
senders = cloudflare.Cloudflare(max_retries=given["tries"] - 1).email_security.settings.block_senders
stored = {
    (row.pattern_type, row.pattern): (row.id, {"is_regex": row.is_regex, "comments": row.comments})
    for row in senders.list(account_id=account, per_page=1000)
}
posts: list[Any] = []
patches: list[Any] = []
for entry in given["entries"]:
    fields = {"is_regex": entry["is_regex"], "comments": entry["comments"]}
    row_id, have = stored.get((entry["pattern_type"], entry["pattern"]), (None, None))
    if row_id is None:
        posts.append(entry)
    elif fields != have:
        patches.append({"id": row_id, **fields})
if size == 1:
    for entry in posts:
        senders.create(account_id=account, **entry)
    for patch in patches:
        senders.edit(patch.pop("id"), account_id=account, **patch)
else:
    for start in range(0, max(len(posts), len(patches)), size):
        end = start + size
        senders.batch(account_id=account, deletes=[], puts=[], patches=patches[start:end], posts=posts[start:end])
