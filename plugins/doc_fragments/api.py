# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """The connection options of every module: the account, and how to reach the API."""

    DOCUMENTATION = r"""
options:
  account_id:
    description:
      - ID of the Cloudflare account, 32 hexadecimal digits.
      - If not set, the environment variable E(CLOUDFLARE_ACCOUNT_ID) is used. One of the two is required.
    type: str
"""

    # Separate, for plugins that do not work on one account.
    CONNECTION = r"""
options:
  api_token:
    description:
      - API token. Mutually exclusive with O(api_email) and O(api_key).
      - If no credential option is set, the environment variable E(CLOUDFLARE_API_TOKEN) is used, or else
        E(CLOUDFLARE_EMAIL) and E(CLOUDFLARE_API_KEY).
      - An empty environment variable counts as not set.
    type: str
  api_email:
    description:
      - Email address of the user who owns O(api_key).
      - If only O(api_key) is set, the environment variable E(CLOUDFLARE_EMAIL) is used.
    type: str
  api_key:
    description:
      - Global API key. It has all permissions of its user, so O(api_token) is the better choice.
      - If only O(api_email) is set, the environment variable E(CLOUDFLARE_API_KEY) is used.
    type: str
  api_url:
    description:
      - Base URL of the API. A warning is shown if it is not HTTPS.
      - If not set, the environment variable E(CLOUDFLARE_BASE_URL) is used.
    type: str
    default: https://api.cloudflare.com/client/v4
  timeout:
    description:
      - Timeout of one request in seconds. At most 10 of them are spent on connecting.
      - All pages of a search, or of a list of accounts, may take 60 times as long, plus O(max_wait). After that, the task fails.
    type: float
    default: 60
  retries:
    description:
      - How often to repeat a failed request. A request that changes something is repeated only after reading the state back
        has shown that it had no effect.
    type: int
    default: 5
  max_wait:
    description:
      - Maximum time in seconds to wait for Cloudflare's rate limit, in total. With V(0), never wait.
      - Cloudflare allows 1,200 requests in five minutes. Above that, it refuses all requests for up to five minutes.
      - Modules that the same user runs on the same machine with the same credential share what they know about the limit.
        They use a small file in a private directory below the temporary directory.
    type: float
    default: 600
  validate_certs:
    description:
      - Whether to check the TLS certificate of the server.
    type: bool
    default: true
  ca_path:
    description:
      - Path of a file or directory with CA certificates. They are trusted instead of those of the Python library C(certifi).
      - The certificates of the operating system are not used. Behind a proxy that inspects TLS, set this to the CA bundle of
        the proxy.
    type: path
requirements:
  - requests >= 2.28 (on the Python that runs the module)
notes:
  - The proxy variables E(HTTPS_PROXY), E(HTTP_PROXY) and E(NO_PROXY) are used. E(NETRC) and C(~/.netrc) are not read.
  - Redirects are not followed.
seealso:
  - name: Cloudflare API, Email Security
    description: Reference of the API that this collection uses.
    link: https://developers.cloudflare.com/api/resources/email_security/
"""
