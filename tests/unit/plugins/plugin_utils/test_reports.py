# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reports: complete, and harmless whatever the mail says."""

from __future__ import annotations

import base64
import csv
import hashlib
import html.parser
import io
import re
import typing as t
import unicodedata

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._text import printable
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._report_csv import report_csv
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._report_html import Picture, report_html
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._report_rows import COLUMNS, report_rows
from ansible_collections.emailsec.cloudflare.tests.unit.support.png import picture
from hypothesis import given
from hypothesis import strategies as st

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ lookup('pipe', 'id') }}{% raw %}",
    '=HYPERLINK("http://evil.example")',
    "  @SUM(1)",
    "\x1b]0;owned\x07\x1b[31m",
    "invoice\u202egpj.exe\u200b\x00",
    "half a pair \ud83d",
    "x" * 1_000_000,
]


def report(*subjects: t.Any, **fields: t.Any) -> dict[str, t.Any]:
    ids = [f"4Xy{number}-2026-11-20T10:00:00-11111111" for number in range(len(subjects))]
    messages = [
        {"handle": one, "id": one, "status": "released", "delivered": ["alice@corp.example"], "detail": "Delivered."}
        for one in ids
    ]
    entries = [
        {"id": one, "handle": one, "subject": subject, "from": subject}
        for one, subject in zip(ids, subjects, strict=False)
    ]
    content = {
        "host": "harbour-logistics",
        "account_id": "5a1c0f3e9b7d42468ace13579bdf0246",
        "outcome": "ok",
        "ticket": "INC-4711",
        "result": {"msg": "Done.", "messages": messages, "summary": {"released": len(ids), "total": len(ids)}},
        "plan": {"messages": entries},
    }
    return {**content, **fields}


class Page(html.parser.HTMLParser):
    """Collects the tags and attributes of a page, and the text of its table cells."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.content: dict[str, str] = {}
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("wbr", "bdi"):  # where an address may break
            return
        self.tags.append(tag)
        self.attributes += attrs
        self._inside = tag

    def handle_data(self, data: str) -> None:
        self.content[self._inside] = self.content.get(self._inside, "") + data


def test_hostile_text_is_only_ever_text() -> None:
    harmless, hostile = (Page(report_html([report(*subjects)])) for subjects in (["a"] * len(HOSTILE), HOSTILE))
    assert hostile.tags == harmless.tags
    assert {name for name, _value in hostile.attributes} == {name for name, _value in harmless.attributes}
    assert "<script>alert(1)</script>" in hostile.content["b"]
    assert "{{ lookup('pipe', 'id') }}" in hostile.content["b"]
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\ud800-\udfff]", hostile.content["b"])


@given(st.lists(st.one_of(st.none(), st.integers(), st.text(max_size=40)), max_size=5))
def test_no_subject_changes_the_structure_of_the_page(subjects: list[t.Any]) -> None:
    named = [subject if printable(subject) else "a" for subject in subjects]
    assert Page(report_html([report(*named)])).tags == Page(report_html([report(*["a"] * len(named))])).tags


def test_the_page_asks_for_nothing_and_runs_only_its_own_script() -> None:
    text = report_html([report("a")])
    page = Page(text)
    assert not {"src", "href", "style", "onclick", "onerror"} & {name for name, _value in page.attributes}
    assert not {"link", "img", "iframe", "form", "base"} & set(page.tags)
    policy = next(value for name, value in page.attributes if name == "content" and value and "default-src" in value)
    assert policy.startswith("default-src 'none'")
    for tag in ("script", "style"):
        [element] = re.findall(f"<{tag}>(.*?)</{tag}>", text, re.S)
        digest = base64.b64encode(hashlib.sha256(element.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_pictures_are_on_the_page_itself() -> None:
    shown = report("a", "b", "c")
    handles = [message["handle"] for message in shown["result"]["messages"]]
    png = picture()
    known = {handles[0]: Picture(png, ""), handles[1]: Picture(None, "<b>There is none.</b>")}
    text = report_html([shown], [known])
    page = Page(text)
    images = [value for name, value in page.attributes if name == "src"]
    assert images == [f"data:image/png;base64,{base64.b64encode(png).decode()}"]
    assert [value for name, value in page.attributes if name == "width" and value == "2"] == ["2"]
    assert "No picture: <b>There is none.</b>" in page.content["p"]
    assert "A picture does not show where links lead" in text
    assert page.tags.count("figure") == 2
    policy = next(value for name, value in page.attributes if name == "content" and value and "default-src" in value)
    assert "img-src data:;" in policy
    assert "http" not in policy


def test_a_page_without_pictures_admits_none() -> None:
    shown = report("a")
    handle = shown["result"]["messages"][0]["handle"]
    none: dict[str, Picture] = {}
    for known in ([], [none], [{handle: Picture(None, "There is none.")}]):
        assert "img-src" not in report_html([shown], known)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_only_text_beside_a_picture(text: str) -> None:
    def page(subject: str, why: str) -> Page:
        shown = report(subject, subject)
        first, second = (message["handle"] for message in shown["result"]["messages"])
        return Page(report_html([shown], [{first: Picture(picture(), ""), second: Picture(None, why)}]))

    hostile, harmless = page(text, text), page("a", "a")
    assert hostile.tags == harmless.tags
    assert [name for name, _value in hostile.attributes] == [name for name, _value in harmless.attributes]


def test_several_accounts_make_one_page_also_when_one_has_no_result() -> None:
    broken = {
        "host": "cedar-law",
        "account_id": "c" * 32,
        "outcome": "failed",
        "result": {"msg": "Cloudflare refused the API token."},
    }
    page = Page(report_html([report("a", "b"), report("c", host="meadow-clinic"), broken, {"host": "bare"}]))
    text = " ".join(page.content.values())
    for expected in (
        "4 accounts",
        "harbour-logistics",
        "meadow-clinic",
        "cedar-law",
        "Cloudflare refused the API token.",
        "bare",
    ):
        assert expected in text


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def test_csv_has_a_line_for_each_message_of_each_account() -> None:
    lines = read(report_csv([report("a", "b"), report("c", host="meadow-clinic")]))
    assert lines[0] == list(COLUMNS)
    assert [(line[0], line[3]) for line in lines[1:]] == [
        ("harbour-logistics", "a"),
        ("harbour-logistics", "b"),
        ("meadow-clinic", "c"),
    ]


SIGNS = ("=", "+", "-", "\u2212", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\ufe66", "\u207a")
BEFORE = (
    "",
    " ",
    "\t",
    "\r",
    "\n",
    "\u3000",
    '"',
    "'",
    '""',
    "\" '",
    "hello;",
    "hello; ",
    'hello;"',
    'hello";',
    "a,b;;",
    ';"";',
    "hello\t",
    "x,",
)


def cells(text: str, separator: str) -> list[str]:
    """Return the cells of CSV as a spreadsheet with this separator sees them."""
    return [cell for line in csv.reader(io.StringIO(text), delimiter=separator) for cell in line]


def formulas(text: str) -> list[str]:
    """Return the cells that a spreadsheet could take for formulas, whatever its separator is."""
    found = [cell for separator in ",;\t" for cell in cells(text, separator)]
    return [
        cell
        for cell in found
        if unicodedata.normalize("NFKC", cell).lstrip(' \t\r\n"').startswith(("=", "+", "-", "\u2212", "@"))
    ]


@pytest.mark.parametrize("before", BEFORE)
def test_a_formula_is_no_formula_in_csv(before: str) -> None:
    assert formulas(report_csv([report(*(f"{before}{sign}1+1" for sign in SIGNS))])) == []


@given(st.lists(st.text(alphabet=";,\"'=+@- \t1\uff1d", max_size=12), max_size=4))
def test_no_text_makes_a_formula_in_csv(subjects: list[str]) -> None:
    assert formulas(report_csv([report(*subjects)])) == []


def test_every_cell_of_csv_is_quoted() -> None:
    lines = report_csv([report("hello;world")]).splitlines()
    assert all(line.startswith('"') and line.endswith('"') and line.count('","') == len(COLUMNS) - 1 for line in lines)


def test_new_columns_of_csv_come_last() -> None:
    assert COLUMNS[:10] == (
        "account",
        "status",
        "handle",
        "subject",
        "sender",
        "recipients",
        "verdict",
        "rule",
        "delivery",
        "detail",
    )
    assert COLUMNS[10:13] == ("envelope_sender", "authentication", "reasons")


@given(st.lists(st.text(max_size=30), max_size=5))
def test_csv_reads_back_as_the_rows(subjects: list[str]) -> None:
    given_report = report(*subjects)
    lines = read(report_csv([given_report]))[1:]
    assert [[cell.replace("'", "") for cell in line] for line in lines] == [
        [cell.replace("'", "") for cell in row.values()] for row in report_rows(given_report)
    ]
