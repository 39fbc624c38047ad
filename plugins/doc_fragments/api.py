# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """The connection options that every module of this collection has: the account, and how to reach it."""

    DOCUMENTATION = r"""
options:
  account_id:
    description:
      - The Cloudflare account, 32 hexadecimal digits.
      - If not set, the environment variable E(CLOUDFLARE_ACCOUNT_ID) is used. One of the two is required.
    type: str
"""

    # By itself for plugins that are not about one account.
    CONNECTION = r"""
options:
  api_token:
    description:
      - API token. Mutually exclusive with O(api_email) and O(api_key).
      - If no credential is given as an option, the environment is asked, first for E(CLOUDFLARE_API_TOKEN), then for
        E(CLOUDFLARE_EMAIL) and E(CLOUDFLARE_API_KEY).
      - An empty environment variable counts as unset.
    type: str
  api_email:
    description:
      - E-mail address of the user to whom O(api_key) belongs.
      - If only O(api_key) is set, the environment variable E(CLOUDFLARE_EMAIL) completes it.
    type: str
  api_key:
    description:
      - Global API key. It may do all that its user may, so prefer O(api_token).
      - If only O(api_email) is set, the environment variable E(CLOUDFLARE_API_KEY) completes it.
    type: str
  api_url:
    description:
      - Where the API is. Nothing but V(https) leaves the machine unencrypted only with a warning.
      - If not set, the environment variable E(CLOUDFLARE_BASE_URL) is used.
    type: str
    default: https://api.cloudflare.com/client/v4
  timeout:
    description:
      - Seconds that one request may take. Connecting may take 10 of them at the most.
      - All pages of a search, or of a list of accounts, may take 60 times as long, plus O(max_wait). Then the task fails.
    type: float
    default: 60
  retries:
    description:
      - How often a failed request is repeated. Reads are repeated as they are; what would change something is sent again
        only when reading the state back shows that it had no effect.
    type: int
    default: 5
  max_wait:
    description:
      - Seconds to wait, in all, for Cloudflare's rate limit (1,200 requests in five minutes; over it, everything is
        refused for up to five minutes). V(0) never waits.
      - Modules of one user on one machine that use the same credential share what they know of the limit, through a small
        file in a private directory below the temporary directory.
    type: float
    default: 600
  validate_certs:
    description:
      - Whether the server's TLS certificate is checked.
    type: bool
    default: true
  ca_path:
    description:
      - File or directory of CA certificates to trust instead of those that come with the Python library C(certifi).
      - The certificates of the operating system are not consulted. Behind a proxy that inspects TLS, name its CA bundle
        here.
    type: path
requirements:
  - requests >= 2.28 (on the Python that runs the module)
notes:
  - The proxy variables E(HTTPS_PROXY), E(HTTP_PROXY) and E(NO_PROXY) are honoured. E(NETRC) and C(~/.netrc) are not read.
  - Redirects are not followed.
seealso:
  - name: Cloudflare API, Email Security
    description: Reference of the API behind this collection.
    link: https://developers.cloudflare.com/api/resources/email_security/
"""
