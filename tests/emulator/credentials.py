# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 emailsec.cloudflare contributors

"""Who may call, and Cloudflare's answers to those who may not."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Literal

from msgspec import Struct

from .envelope import ApiError, error

Need = Literal["identity", "active", "read", "write"]

_TOKEN = re.compile(r"[A-Za-z0-9_-]{40,}")
_KEY = re.compile(r"[A-Za-z0-9_]{37,}")


class Credential(Struct, frozen=True, kw_only=True):
    """A token, or an email with its global key."""

    name: str
    secret: str
    kind: Literal["user", "account", "key"] = "user"
    email: str = "soc@example.com"
    accounts: frozenset[str]
    write: bool = True
    status: Literal["active", "disabled", "expired", "revoked"] = "active"

    @property
    def id(self) -> str:
        """The public identifier of a token."""
        return hashlib.sha256(self.name.encode()).hexdigest()[:32]

    @property
    def headers(self) -> dict[str, str]:
        """The request headers that present it."""
        if self.kind == "key":
            return {"X-Auth-Email": self.email, "X-Auth-Key": self.secret}
        return {"Authorization": f"Bearer {self.secret}"}

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that hand it to a client."""
        if self.kind == "key":
            return {"CLOUDFLARE_EMAIL": self.email, "CLOUDFLARE_API_KEY": self.secret}
        return {"CLOUDFLARE_API_TOKEN": self.secret}


def standard_credentials(accounts: list[str]) -> dict[str, Credential]:
    """One credential of every kind, with secrets that are plainly not real ones."""
    everywhere, first, last = frozenset(accounts), frozenset(accounts[:1]), frozenset(accounts[-1:])

    def token(name: str, scope: frozenset[str] = everywhere, **traits: object) -> Credential:
        prefix = "cfat_" if traits.get("kind") == "account" else "cfut_"
        secret = prefix + f"EMULATOR_{name}".ljust(40, "0")
        return Credential(name=name, secret=secret, accounts=scope, **traits)  # type: ignore[arg-type]

    known = [
        token("write"),
        token("read_only", write=False),
        token("other_account", last),
        token("account_owned", first, kind="account"),
        token("expired", status="expired"),
        token("disabled", status="disabled"),
        token("revoked", status="revoked"),
        Credential(name="key", kind="key", secret="EMULATOR_key".ljust(37, "0"), accounts=everywhere),
    ]
    return {credential.name: credential for credential in known}


def present(headers: Mapping[str, str], known: Iterable[Credential]) -> Credential | None:
    """The credential that the headers name, right or not to use; None without a known one."""
    for credential in known:
        if all(headers.get(name) == value for name, value in credential.headers.items()):
            return credential
    return None


def authenticate(headers: Mapping[str, str], credential: Credential | None) -> Credential:
    """The credential, or the error that Cloudflare has for missing, malformed, doubled and unknown ones."""
    token = headers.get("Authorization")
    email, key = headers.get("X-Auth-Email"), headers.get("X-Auth-Key")
    if token and (email or key):
        # Not published; the text is the emulator's own.
        raise _malformed(6301, "Authorization and X-Auth-Key headers exclude each other")
    if not token and not (email and key):
        raise ApiError(400, error(9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers"))
    if token and not (token.startswith("Bearer ") and _TOKEN.fullmatch(token.removeprefix("Bearer "))):
        raise _malformed(6111, "Invalid format for Authorization header")
    if key and not _KEY.fullmatch(key):
        raise _malformed(6103, "Invalid format for X-Auth-Key header")
    if credential is None:
        raise invalid_token() if token else ApiError(403, error(10000, "Authentication error"))
    if credential.status == "revoked":
        raise invalid_token()
    return credential


def authorize(credential: Credential, need: Need, account: str | None, forbidden: int) -> None:
    """Refuse an inactive credential, one of another account, and one without the permission."""
    if need == "identity":
        return
    if credential.status != "active":
        raise ApiError(401, error(10000, "Authentication error"))
    if account is not None and account not in credential.accounts:
        raise ApiError(403, error(10000, "Authentication error"))
    if need == "write" and not credential.write:
        words = {10000: "Authentication error", 9109: "Unauthorized to access requested resource"}
        raise ApiError(403, error(forbidden, words[forbidden]))


def invalid_token() -> ApiError:
    """A token that is unknown, revoked, or of the wrong kind for the endpoint."""
    return ApiError(401, error(1000, "Invalid API Token"))


def _malformed(code: int, message: str) -> ApiError:
    return ApiError(400, error(6003, "Invalid request headers", chain=(code, message)))
