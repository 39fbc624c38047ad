# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""The accounts that a credential can see, and a name for each that is safe and no other account's."""

from __future__ import annotations

import collections
import re
import typing as t
import unicodedata

from .._errors import ApiError, DoubtfulError
from .._text import printable
from .client import Client

_PAGE_SIZE = 50  # the most there may be
_MOST_PAGES = 1000
_NO_ACCOUNT_OWNED_TOKENS = 1001
_LONGEST_NAME = 60


class Account(t.NamedTuple):
    """An account as Cloudflare lists it. name: what its people wrote, less what hides or reorders text."""

    id: str
    name: str
    kind: str


def list_accounts(client: Client) -> list[Account]:
    """Return all accounts, ordered by their id. The client has to be one for all of the API."""
    accounts: dict[str, Account] = {}
    check_time = client.list_timer()
    for number in range(1, _MOST_PAGES + 1):
        rows, last = _page(client, number)
        before = len(accounts)
        accounts.update((account.id, account) for account in map(read_account, rows))
        if last or not rows:
            return [accounts[id] for id in sorted(accounts)]
        if len(accounts) == before:
            break
        check_time()
    raise DoubtfulError("the list of accounts has no end: the server repeats its pages")


def read_account(row: object) -> Account:
    """Return the account that an entry of the list describes; one without an id would be missed by nobody."""
    id, name, kind = (row.get(key) for key in ("id", "name", "type")) if isinstance(row, dict) else (None, None, None)
    if not isinstance(id, str) or not re.match(r"[0-9a-fA-F]{32}\Z", id):
        raise DoubtfulError("the list of accounts holds an entry without an account id")
    return Account(id.lower(), *(printable(text) if isinstance(text, str) else "" for text in (name, kind)))


def unique_names(accounts: t.Iterable[Account], taken: t.Container[str] = ()) -> dict[str, str]:
    """Return for each id a name of a-z, 0-9 and hyphens that looks like the account's.

    It ends with the id where the account's own name leaves nothing, is also another's, is taken, or poses as such a name:
    nobody gets the name, and with it the variables, of somebody else by calling himself so.
    """
    names = {account.id: _safe(account.name) for account in accounts}
    bearers = collections.Counter(names.values())

    def is_own(name: str) -> bool:
        return bool(name) and bearers[name] == 1 and name not in taken and not re.search(r"[0-9a-f]{32}\Z", name)

    return {id: name if is_own(name) else f"{name}-{id}".lstrip("-") for id, name in names.items()}


def _safe(text: str) -> str:
    """Return text as words of a-z and 0-9 with hyphens between them."""
    plain = unicodedata.normalize("NFKD", text[: 4 * _LONGEST_NAME]).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:_LONGEST_NAME].strip("-")


def _page(client: Client, number: int) -> tuple[list[t.Any], bool]:
    """Return the entries of one page, and whether it is the last one."""
    try:
        envelope = client.get("accounts", {"page": number, "per_page": _PAGE_SIZE})
    except ApiError as error:
        if error.status != 400 or _NO_ACCOUNT_OWNED_TOKENS not in error.codes:
            raise
        words = f"the credential belongs to an account, and Cloudflare lists accounts only to users: take a user's API token ({error})"
        raise ApiError(words, status=error.status, errors=error.errors, cf_ray=error.cf_ray) from None
    rows, info = envelope.get("result"), envelope.get("result_info")
    if not isinstance(rows, list):
        raise DoubtfulError("the answer holds no list of accounts")
    pages = info.get("total_pages") if isinstance(info, dict) else None
    return rows, number >= pages if isinstance(pages, int) else len(rows) < _PAGE_SIZE
