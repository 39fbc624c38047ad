# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""The accounts that a credential can see, each with a name that is safe and unique."""

from __future__ import annotations

import collections
import re
import typing as t
import unicodedata

from .._errors import ApiError, DoubtfulError
from .._json import mapping, number, string
from .._text import printable
from .client import Client

_PAGE_SIZE = 50  # the most there may be
_MOST_PAGES = 1000
_NO_ACCOUNT_OWNED_TOKENS = 1001
_LONGEST_NAME = 60


class Account(t.NamedTuple):
    """An account as Cloudflare lists it. name: without characters that hide or reorder text."""

    id: str
    name: str
    kind: str


def list_accounts(client: Client) -> list[Account]:
    """Return all accounts, ordered by id. The client must be one for the whole API, not for one account."""
    accounts: dict[str, Account] = {}
    check_time = client.list_timer()
    for page in range(1, _MOST_PAGES + 1):
        rows, last = _page(client, page)
        before = len(accounts)
        accounts.update((account.id, account) for account in map(read_account, rows))
        if last or not rows:
            return [accounts[id] for id in sorted(accounts)]
        if len(accounts) == before:
            break
        check_time()
    raise DoubtfulError("the list of accounts has no end: the server repeats its pages")


def read_account(row: object) -> Account:
    """Return the account that an entry of the list describes. Raises DoubtfulError: nobody would notice that one is left out."""
    id, name, kind = (string(mapping(row).get(key)) for key in ("id", "name", "type"))
    if not id or not re.match(r"[0-9a-fA-F]{32}\Z", id):
        raise DoubtfulError("the list of accounts holds an entry without an account id")
    return Account(id.lower(), printable(name), printable(kind))


def unique_names(accounts: t.Iterable[Account], taken: t.Container[str] = ()) -> dict[str, str]:
    """Return for each id a name of a-z, 0-9 and hyphens that looks like the account's.

    The id is added if the account's own name leaves nothing, is not unique, is taken, or ends like an id. So nobody can get the
    name of another account, and with it that account's variables, by a change of name.
    """
    names = {account.id: _safe(account.name) for account in accounts}
    bearers = collections.Counter(names.values())

    def is_own(name: str) -> bool:
        return bool(name) and bearers[name] == 1 and name not in taken and not re.search(r"[0-9a-f]{32}\Z", name)

    return {id: name if is_own(name) else f"{name}-{id}".lstrip("-") for id, name in names.items()}


def _safe(text: str) -> str:
    """Return the words of a text, reduced to a-z and 0-9, with hyphens between them."""
    plain = unicodedata.normalize("NFKD", text[: 4 * _LONGEST_NAME]).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:_LONGEST_NAME].strip("-")


def _page(client: Client, page: int) -> tuple[list[t.Any], bool]:
    """Return the entries of one page, and whether it is the last page."""
    try:
        envelope = client.get(
            "accounts", {"page": page, "per_page": _PAGE_SIZE}, lambda result: isinstance(result, list)
        )
    except ApiError as error:
        if error.status != 400 or _NO_ACCOUNT_OWNED_TOKENS not in error.codes:
            raise
        words = f"the credential belongs to an account, but Cloudflare lists accounts only for users. Use the API token of a user ({error})"
        raise ApiError(words, status=error.status, errors=error.errors, cf_ray=error.cf_ray) from None
    info = mapping(envelope.get("result_info"))
    pages, size = number(info.get("total_pages")), number(info.get("per_page")) or _PAGE_SIZE
    return envelope["result"], page >= pages if pages is not None else len(envelope["result"]) < min(size, _PAGE_SIZE)
