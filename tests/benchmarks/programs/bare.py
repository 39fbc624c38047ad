# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Releases the messages of a file with requests: what one writes in five minutes."""

import json
import os
import sys

import requests

with open(sys.argv[1], encoding="utf-8") as file:
    given = json.load(file)
ids, size = given["ids"], given["batch_size"]
account = f"{os.environ['CLOUDFLARE_BASE_URL']}/accounts/{os.environ['CLOUDFLARE_ACCOUNT_ID']}"
url = f"{account}/email-security/investigate/release"
session = requests.Session()
session.headers["Authorization"] = f"Bearer {os.environ['CLOUDFLARE_API_TOKEN']}"
given_up = 0
for start in range(0, len(ids), size):
    for _attempt in range(given["tries"]):
        try:
            session.post(url, json={"ids": ids[start : start + size]}, timeout=60).raise_for_status()
            break
        except requests.RequestException as error:
            print(error)
    else:
        given_up += 1
sys.exit(1 if given_up else 0)
