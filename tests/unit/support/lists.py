# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A settings list that answers scripted HTTP, and lies on demand."""

from __future__ import annotations

import copy
import typing as t

from ansible_collections.emailsec.cloudflare.plugins.module_utils._settings.keys import key_of
from ansible_collections.emailsec.cloudflare.plugins.module_utils._settings.kinds import Kind
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import envelope, refusal
from ansible_collections.emailsec.cloudflare.tests.unit.support.http import Reply, Sent

Row = dict[str, t.Any]
Fault = t.Callable[["ListServer", Sent], Reply | None]
LOST = Reply("<html>504</html>", 504, {"Content-Type": "text/html"})


class ListServer:
    """One list of an account.

    rows: what is stored.
    faults: the answers to the next writes. Each is called with the server and the request, and returns its own answer, or None
    to let the server work.
    shows: how many readings after a write still show the list as it was before.
    """

    def __init__(self, kind: Kind, rows: t.Iterable[Row] = ()) -> None:
        self.kind = kind
        self.rows: list[Row] = []
        self.faults: list[Fault] = []
        self.writes: list[Sent] = []
        self.page_size = 1000
        self.late = 0
        self._old: list[Row] = []
        self._keys: set[t.Any] | None = None
        self._number = 0
        for row in rows:
            self.add(row)

    def add(self, row: Row) -> Row:
        """Store an entry, without asking whether there is one like it."""
        self._number += 1
        made = {"id": f"id-{self._number}", "created_at": f"2026-01-01T00:00:00.{self._number:06}Z", **row}
        self.rows.append(made)
        return made

    def __call__(self, sent: Sent) -> Reply:
        """Answer a request."""
        if sent.method == "GET":
            shown = self._old if self.late else self.rows
            self.late = max(0, self.late - 1)
            page, size = int(sent.query["page"]), min(self.page_size, int(sent.query["per_page"]))
            rows = shown[(page - 1) * size : page * size]
            info = {"page": page, "per_page": size, "count": len(rows), "total_count": len(shown)}
            return Reply(envelope(rows, result_info={**info, "total_pages": -(-len(shown) // size)}))
        self.writes.append(sent)
        fault = self.faults.pop(0)(self, sent) if self.faults else None
        return fault or self.work(sent)

    def work(self, sent: Sent) -> Reply:
        """Carry a write out and answer it."""
        self._old, before = list(self.rows), copy.deepcopy(self.rows)
        self._keys = None
        member = {"POST": "posts", "PATCH": "patches", "DELETE": "deletes"}[sent.method]
        row_id = sent.path.rpartition("/")[2]
        is_batch = row_id == "batch"
        single = {**(sent.body or {}), **({} if sent.method == "POST" else {"id": row_id})}
        orders = sent.body if is_batch else {member: [single]}
        result: dict[str, t.Any] = {}
        for name in ("deletes", "patches", "puts", "posts"):
            for index, order in enumerate(orders.get(name, ())):
                done = self._one(name, order)
                if isinstance(done, dict):
                    result.setdefault(name, []).append(done)
                    continue
                self.rows = before
                pointer = f"/{name}/{index}/pattern" if is_batch else "/pattern"
                return Reply(refusal(*done, source={"pointer": pointer}), 400)
        return Reply(envelope(result if is_batch else result[member][0]))

    def _one(self, name: str, order: Row) -> Row | tuple[int, str]:
        if name == "posts":
            if self._keys is None:
                self._keys = {key_of(self.kind, row) for row in self.rows}
            if key_of(self.kind, order) in self._keys:
                return 4102, "pattern already exists"
            self._keys.add(key_of(self.kind, order))
            return self.add(order)
        self._keys = None
        found = [row for row in self.rows if row["id"] == order["id"]]
        if not found:
            return 1001, "not found"
        if name == "deletes":
            self.rows.remove(found[0])
            return {"id": order["id"]}
        found[0].update(order)
        return dict(found[0])


def lost_after_work(server: ListServer, sent: Sent) -> Reply:
    """Do the work, and lose the answer."""
    server.work(sent)
    return LOST


def lost_before_work(_server: ListServer, _sent: Sent) -> Reply:
    """Lose the request."""
    return LOST


_REMARKS = "Fran\u00e7ois \U0001f600 {{ 1 }} '\" \\ : # - "
SAMPLES: t.Mapping[str, t.Sequence[Row]] = {
    "allow_policies": [
        {
            "pattern": "billing@partner.example",
            "pattern_type": "EMAIL",
            "is_regex": False,
            "is_acceptable_sender": True,
            "is_trusted_sender": False,
            "is_exempt_recipient": False,
            "verify_sender": True,
            "comments": None,
        },
        {
            "pattern": r"^\S+@(mail|news)\.partner\.example$",
            "pattern_type": "EMAIL",
            "is_regex": True,
            "is_acceptable_sender": False,
            "is_trusted_sender": True,
            "is_exempt_recipient": False,
            "verify_sender": False,
            "comments": (_REMARKS * 99)[:1024],
        },
        {"pattern": "B\u00dccher.Example", "pattern_type": "DOMAIN", "comments": "x" * 1003 + " [expires 2027-01-01]"},
        {"pattern": "2001:DB8::/32", "pattern_type": "IP", "comments": "a [expires 2020-01-01] [expires 2027-01-01]"},
        {"pattern": "long@partner.example", "pattern_type": "EMAIL", "comments": "two\nlines  [expires 2027-01-01] "},
        {"pattern": "p" * 1024, "pattern_type": "UNKNOWN"},
    ],
    "block_senders": [
        {"pattern": "spam@sender.example", "pattern_type": "EMAIL", "is_regex": False, "comments": ""},
        {"pattern": "com", "pattern_type": "DOMAIN"},
        {"pattern": r".*\.top$", "pattern_type": "DOMAIN", "is_regex": True, "comments": _REMARKS},
        {"pattern": "198.51.100.7", "pattern_type": "IP", "comments": None},
    ],
    "trusted_domains": [
        {
            "pattern": "partner.example",
            "is_regex": False,
            "is_recent": True,
            "is_similarity": False,
            "comments": _REMARKS,
        },
        {"pattern": r"(mail|news)\.partner\.example", "is_regex": True},
    ],
    "content_policies": [
        {
            "name": "Phrase",
            "pattern": "urgent.*account",
            "targets": ["BODY", "SUBJECT"],
            "enabled": False,
            "notes": None,
        },
        {
            "name": "phrase",
            "pattern": r"\p{Lu}{9,}",
            "targets": ["SUBJECT"],
            "enabled": True,
            "notes": (_REMARKS * 200)[:4096],
        },
    ],
    "impersonation_registry": [
        {"name": "Jane Doe", "email": "Jane.Doe@corp.example", "is_email_regex": False, "comments": "x" * 3000},
        {"name": "Fran\u00e7ois", "email": r".*@corp\.example", "is_email_regex": True, "directory_node_id": None},
        {"name": "Synchronized", "email": "s@corp.example", "directory_id": 1, "directory_node_id": 2},
    ],
    "sending_domain_restrictions": [
        {"domain": "Partner.example", "exclude": ["OLD.partner.example", "a.partner.example"], "comments": _REMARKS},
        {"domain": "other.example", "exclude": []},
    ],
    "url_ignore_patterns": [
        {"pattern": r"https://portal\.partner\.example/.*", "comments": _REMARKS},
        {"pattern": r"https://Portal\.partner\.example/.*"},
    ],
    "domains": [
        {
            "domain": "corp.example",
            "allowed_delivery_modes": ["API", "DIRECT"],
            "ip_restrictions": ["192.0.2.0/24"],
            "drop_dispositions": ["SPAM", "MALICIOUS"],
            "regions": ["GLOBAL"],
            "folder": None,
            "integration_id": None,
            "lookback_hops": 2,
            "require_tls_inbound": False,
            "require_tls_outbound": None,
            "transport": "mx.corp.example",
            "status": "active",
        },
        {"domain": "Second.example", "allowed_delivery_modes": ["BCC"], "status": "PENDING"},
    ],
}
