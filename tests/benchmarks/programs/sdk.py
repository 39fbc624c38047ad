# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Releases the messages of a file with Cloudflare's Python SDK. Its own default is two retries."""

import json
import os
import sys

import cloudflare

with open(sys.argv[1], encoding="utf-8") as file:
    given = json.load(file)
ids, size = given["ids"], given["batch_size"]
client = cloudflare.Cloudflare(max_retries=given["tries"] - 1)
given_up = 0
for start in range(0, len(ids), size):
    try:
        client.email_security.investigate.release.bulk(
            account_id=os.environ["CLOUDFLARE_ACCOUNT_ID"], ids=ids[start : start + size]
        )
    except cloudflare.APIError as error:
        print(error)
        given_up += 1
sys.exit(1 if given_up else 0)
