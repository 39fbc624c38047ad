# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Between Ansible and the library: the connection options of every module, and the client made from them."""

from __future__ import annotations

import math
import os
import re
import ssl
import typing as t
import urllib.parse

from ansible.module_utils.basic import AnsibleFallbackNotFound, AnsibleModule, missing_required_lib

from ._client import Client, Credential, Settings
from ._clock import Clock
from ._errors import CloudflareError, InputError
from ._http import IMPORT_ERROR
from ._version import VERSION

DELIVERY_STATUSES = ["delivered", "moved", "quarantined", "rejected", "deferred", "bounced", "queued", "move_failed"]
_LONGEST_TIMEOUT = 86400
DEFAULT_URL = "https://api.cloudflare.com/client/v4"


def _from_environment(*names: str) -> str:
    """Return the first of these environment variables that is not empty. Fallback for an option."""
    for name in names:
        if os.environ.get(name):
            return os.environ[name]
    raise AnsibleFallbackNotFound


def api_argument_spec(**options: dict[str, t.Any]) -> dict[str, dict[str, t.Any]]:
    """Return the connection options together with a module's own options."""
    return {
        "account_id": {"type": "str", "fallback": (_from_environment, ["CLOUDFLARE_ACCOUNT_ID"])},
        # The environment of these is read below: which kind of credential counts depends on all of them.
        "api_token": {"type": "str", "no_log": True},
        "api_email": {"type": "str"},
        "api_key": {"type": "str", "no_log": True},
        "api_url": {"type": "str", "default": DEFAULT_URL, "fallback": (_from_environment, ["CLOUDFLARE_BASE_URL"])},
        "timeout": {"type": "float", "default": 60},
        "retries": {"type": "int", "default": 5},
        "max_wait": {"type": "float", "default": 600},
        "validate_certs": {"type": "bool", "default": True},
        "ca_path": {"type": "path"},
        **options,
    }


def search_argument_spec() -> dict[str, dict[str, t.Any]]:
    """Return the search options that all modules share (doc fragment search)."""
    return {
        **{name: {"type": "str"} for name in ("sender", "recipient", "subject", "query", "domain", "message_id", "alert_id")},
        "disposition": {"type": "str", "choices": ["MALICIOUS", "SUSPICIOUS", "SPOOF", "SPAM", "BULK", "NONE"]},
        **{name: {"type": "str"} for name in ("start", "end", "since")},
    }


def exclusive_search_options() -> list[tuple[str, str]]:
    """Return the pairs of options that exclude each other in a module that takes handles or a search."""
    return [("start", "since"), *(("messages", option) for option in search_argument_spec())]


def make_client(module: AnsibleModule, clock: Clock, connections: int = 4) -> Client:
    """Return a client made from the connection options. Raises InputError for what is wrong with them."""
    if IMPORT_ERROR:
        module.fail_json(msg=missing_required_lib("requests"), exception=IMPORT_ERROR)
    params = module.params
    return Client(
        Settings(
            api_url=_api_url(module),
            account_id=_account_id(params["account_id"]),
            credential=_credential(module),
            timeout=in_range(params, "timeout", 0.001, _LONGEST_TIMEOUT),
            retries=in_range(params, "retries", 0),
            max_wait=in_range(params, "max_wait", 0),
            verify=_verify(params),
            user_agent=f"emailsec.cloudflare/{VERSION} (ansible-core {module.ansible_version})",
            connections=connections,
        ),
        clock,
    )


def fail(module: AnsibleModule, error: CloudflareError | None, **result: t.Any) -> t.NoReturn:
    """End the task as failed, with everything that is known. C(msg) in C(result) goes before the error's own words."""
    details = error.details() if error else {}
    module.fail_json(**{"msg": str(error), **details, **result})
    raise AssertionError("fail_json ended the task")


def in_range(params: dict[str, t.Any], name: str, least: float, most: float = math.inf) -> t.Any:
    """Return the option if it is a number from C(least) to C(most). Raises InputError."""
    value = params[name]
    if not least <= value <= most or value == math.inf:
        limits = f"at least {least:g}" if most == math.inf else f"from {least:g} to {most:g}"
        raise InputError(f"{name} must be {limits}, not {value:g}")
    return value


def _account_id(value: str | None) -> str:
    if not value:
        raise InputError("account_id is missing: give the option, or set the environment variable CLOUDFLARE_ACCOUNT_ID")
    if not re.match(r"[0-9a-fA-F]{32}\Z", value):
        raise InputError(f"account_id must be 32 hexadecimal digits, as the dashboard shows it, not {value!r:.80}")
    return value.lower()


def _api_url(module: AnsibleModule) -> str:
    value = module.params["api_url"] or DEFAULT_URL
    if "@" in value:
        # Whatever stands before it may hold a password, however odd the URL is.
        login = value.rpartition("@")[0].rpartition("//")[2]
        for text in (login, login.partition(":")[2], login.rpartition(":")[2]):
            module.no_log_values.update(filter(None, (text, urllib.parse.unquote(text))))
        raise InputError("api_url must not contain a user name or password; give the credential as api_token, or api_email and api_key")
    try:
        parts = urllib.parse.urlsplit(value)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        parts, usable = None, False
    if not usable or re.search(r"[\s?#\\]", value):
        raise InputError(f"api_url must be a URL such as {DEFAULT_URL}, without a query, not {value!r:.200}")
    if parts and parts.scheme == "http" and not re.match(r"(localhost|127\.[\d.]+|::1)\Z", parts.hostname or ""):
        module.warn(f"api_url is not https: the credential travels to {parts.hostname} unencrypted.")
    return value.rstrip("/")


def _credential(module: AnsibleModule) -> Credential:
    """Return the credential: options beat the environment, and there an API token beats email and key."""
    token, email, key = (module.params[name] or None for name in ("api_token", "api_email", "api_key"))
    token_variable, email_variable, key_variable = (
        os.environ.get(name) or None for name in ("CLOUDFLARE_API_TOKEN", "CLOUDFLARE_EMAIL", "CLOUDFLARE_API_KEY")
    )
    secrets = {secret.strip() for secret in (token, key, token_variable, key_variable) if secret}
    # Masking blanks would mask every word.
    module.no_log_values = {value for value in module.no_log_values | secrets if value.strip()}
    if token and (email or key):
        raise InputError("give either api_token, or api_email and api_key, not both kinds of credential")
    if token:
        return _token(token, "API token of the option api_token")
    if email or key:
        return _email_and_key(email or email_variable, key or key_variable, "options api_email and api_key")
    if token_variable:
        return _token(token_variable, "API token of the environment variable CLOUDFLARE_API_TOKEN")
    if email_variable or key_variable:
        return _email_and_key(email_variable, key_variable, "environment variables CLOUDFLARE_EMAIL and CLOUDFLARE_API_KEY")
    raise InputError(
        "there is no credential: set the environment variable CLOUDFLARE_API_TOKEN or give api_token, or give both "
        "api_email and api_key (CLOUDFLARE_EMAIL and CLOUDFLARE_API_KEY)"
    )


def _token(token: str, origin: str) -> Credential:
    return Credential({"Authorization": f"Bearer {_header_value(token, origin)}"}, origin)


def _email_and_key(email: str | None, key: str | None, origin: str) -> Credential:
    if not email or not key:
        raise InputError(f"an API key needs both email and key, but of the {origin} the {'key' if email else 'email'} is missing")
    origin = f"email and API key of the {origin}"
    return Credential({"X-Auth-Email": _header_value(email, origin), "X-Auth-Key": _header_value(key, origin)}, origin)


def _header_value(value: str, origin: str) -> str:
    value = value.strip()
    if not re.match(r"[\x21-\x7e]+\Z", value):
        raise InputError(f"the {origin} contains white space or characters that no credential has; was it pasted with something else?")
    return value


def _verify(params: dict[str, t.Any]) -> bool | str:
    if not params["validate_certs"]:
        return False
    path = params["ca_path"]
    if not path:
        return True
    try:
        if os.path.isdir(path):
            os.listdir(path)
        else:
            ssl.create_default_context(cafile=path)
    except (OSError, ValueError) as error:
        raise InputError(f"ca_path {path} cannot be read as CA certificates ({getattr(error, 'strerror', None) or error})") from None
    return path
