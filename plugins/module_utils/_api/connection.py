# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""From connection options and environment variables to the settings of a client. Knows nothing of Ansible.

options: the connection options by name. None and the empty text count as not given.
"""

from __future__ import annotations

import math
import os
import re
import ssl
import typing as t
import urllib.parse
import urllib.request

from .._errors import InputError
from .._version import VERSION
from .client import Credential, Settings
from .masking import Masker

DEFAULT_URL = "https://api.cloudflare.com/client/v4"
_LONGEST_TIMEOUT = 86400
_SECRET_OPTIONS = ("api_token", "api_key")
Options = t.Mapping[str, t.Any]


def connection_settings(
    options: Options, account_id: str, caller: str, warn: t.Callable[[str], None], connections: int = 4
) -> Settings:
    """Return how to reach the API. Raises InputError.

    options: all options, also others: none may contain a secret that was pasted there by mistake.
    account_id: the account, or empty for the whole API.
    caller: who uses this library, for the logs of the server.
    warn: called with each warning.
    """
    proxies = urllib.request.getproxies_environment().values()
    masker = Masker({*secrets(options), *(text for proxy in proxies for text in _login(proxy))})
    api_url = _api_url(options["api_url"] or DEFAULT_URL, warn, masker)
    for name in options:
        if name not in _SECRET_OPTIONS and masker.found(options[name]):
            raise InputError(
                f"{name} contains the API token, the API key or a password. Nothing was sent. Remove it from {name}, and replace "
                "it with a new one if others may have seen it"
            )
    return Settings(
        api_url=api_url,
        account_id=account_id,
        credential=_credential(options),
        timeout=in_range(options, "timeout", 0.001, _LONGEST_TIMEOUT),
        retries=in_range(options, "retries", 0),
        max_wait=in_range(options, "max_wait", 0),
        verify=_verify(options),
        user_agent=f"emailsec.cloudflare/{VERSION} ({caller})",
        connections=connections,
        masker=masker,
    )


def secrets(options: Options) -> set[str]:
    """Return the secrets in options and environment, whether or not they are used."""
    found = {
        options["api_token"],
        options["api_key"],
        *map(os.environ.get, ("CLOUDFLARE_API_TOKEN", "CLOUDFLARE_API_KEY")),
    }
    found = {secret.strip() for secret in found if secret}
    # To mask blanks would mask everything.
    return {secret for secret in found | _login(options["api_url"] or "") if secret.strip()}


def _login(url: str) -> set[str]:
    """Return what may be a password in a URL: everything before an @, however odd the URL is."""
    login = url.rpartition("@")[0].rpartition("//")[2]
    texts = (login, login.partition(":")[2], login.rpartition(":")[2])
    return {*texts, *map(urllib.parse.unquote, texts)}


def own_account(value: str | None) -> str:
    """Return the account id in an option, in lower case. Raises InputError."""
    if not value:
        raise InputError(
            "account_id is missing: give the option, or set the environment variable CLOUDFLARE_ACCOUNT_ID"
        )
    if not re.match(r"[0-9a-fA-F]{32}\Z", value):
        raise InputError(
            f"account_id must be 32 hexadecimal digits, as the dashboard shows it; this one has {len(value)} characters"
        )
    return value.lower()


def in_range(options: Options, name: str, least: float, most: float = math.inf) -> t.Any:
    """Return an option that must be a number from least to most. Raises InputError."""
    value = options[name]
    if not least <= value <= most or value == math.inf:
        limits = f"at least {least:.15g}" if most == math.inf else f"from {least:.15g} to {most:.15g}"
        raise InputError(f"{name} must be {limits}, not {value:.15g}")
    return value


def _api_url(value: str, warn: t.Callable[[str], None], masker: Masker) -> str:
    if "@" in value:
        raise InputError(
            "api_url must not contain a user name or password; give the credential as api_token, or as api_email and api_key"
        )
    try:
        parts = urllib.parse.urlsplit(value)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        parts, usable = None, False
    if not usable or re.search(r"[\s?#\\]", value):
        raise InputError(
            f"api_url must be a URL such as {DEFAULT_URL}, without a query, not {masker.mask(value)!r:.200}"
        )
    if parts and parts.scheme == "http" and not re.match(r"(localhost|127\.[\d.]+|::1)\Z", parts.hostname or ""):
        warn(f"api_url is not HTTPS: the credential is sent to {parts.hostname} unencrypted.")
    return value.rstrip("/")


def _credential(options: Options) -> Credential:
    """Return the credential. Options beat the environment, where an API token beats email and key."""
    token, email, key = (options[name] or None for name in ("api_token", "api_email", "api_key"))
    token_variable, email_variable, key_variable = (
        os.environ.get(name) or None for name in ("CLOUDFLARE_API_TOKEN", "CLOUDFLARE_EMAIL", "CLOUDFLARE_API_KEY")
    )
    if token and (email or key):
        raise InputError("give either api_token, or api_email and api_key, not both kinds of credential")
    if token:
        return _token(token, "API token of the option api_token")
    if email or key:
        return _email_and_key(email or email_variable, key or key_variable, "options api_email and api_key")
    if token_variable:
        return _token(token_variable, "API token of the environment variable CLOUDFLARE_API_TOKEN")
    if email_variable or key_variable:
        return _email_and_key(
            email_variable, key_variable, "environment variables CLOUDFLARE_EMAIL and CLOUDFLARE_API_KEY"
        )
    raise InputError(
        "there is no credential: set the environment variable CLOUDFLARE_API_TOKEN or give api_token, or give both "
        "api_email and api_key (CLOUDFLARE_EMAIL and CLOUDFLARE_API_KEY)"
    )


def _token(token: str, origin: str) -> Credential:
    return Credential({"Authorization": f"Bearer {_header_value(token, origin)}"}, origin)


def _email_and_key(email: str | None, key: str | None, origin: str) -> Credential:
    if not email or not key:
        raise InputError(
            f"an API key needs both email and key, but of the {origin} the {'key' if email else 'email'} is missing"
        )
    origin = f"email and API key of the {origin}"
    return Credential({"X-Auth-Email": _header_value(email, origin), "X-Auth-Key": _header_value(key, origin)}, origin)


def _header_value(value: str, origin: str) -> str:
    value = value.strip()
    if not re.match(r"[\x21-\x7e]+\Z", value):
        raise InputError(
            f"the {origin} contains white space or characters that no credential has; was it pasted with something else?"
        )
    return value


def _verify(options: Options) -> bool | str:
    if not options["validate_certs"]:
        return False
    path: str = options["ca_path"]
    if not path:
        return True
    try:
        if os.path.isdir(path):
            os.listdir(path)
        else:
            ssl.create_default_context(cafile=path)
    except (OSError, ValueError) as error:
        raise InputError(
            f"ca_path {path} cannot be read as CA certificates ({getattr(error, 'strerror', None) or error})"
        ) from None
    return path
