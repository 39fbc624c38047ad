# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Entries from the CSV of other products: what they become, what is refused, and that nothing is lost without a word."""

from __future__ import annotations

import csv
import datetime
import importlib
import importlib.util
import io
import re
import typing as t
from unittest import mock

import pytest
import yaml
from ansible_collections.emailsec.cloudflare.plugins.module_utils._mail.pasted import stripped
from ansible_collections.emailsec.cloudflare.plugins.module_utils._settings.declared import read_declared
from ansible_collections.emailsec.cloudflare.plugins.module_utils._settings.kinds import KINDS
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._settings.csv_entries import LISTS
from hypothesis import given
from hypothesis import strategies as st

TODAY = datetime.date(2026, 11, 27)


@pytest.fixture(scope="module", autouse=True)
def no_controller() -> t.Iterator[None]:
    """A filter makes a controller of this process, where modules show their warnings instead of returning them."""
    with pytest.MonkeyPatch.context() as patch:
        if importlib.util.find_spec("ansible.module_utils._internal"):  # since 2.19
            patch.setattr("ansible.module_utils._internal.is_controller", False)
        yield


def plugin() -> t.Any:
    return importlib.import_module("ansible_collections.emailsec.cloudflare.plugins.filter.csv_entries")


@pytest.fixture(name="warned")
def catch_warnings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The warnings that are shown."""
    shown: list[str] = []
    monkeypatch.setattr(plugin(), "Display", lambda: mock.Mock(warning=shown.append))
    return shown


def entries(text: str, kind: str = "block_senders", **options: t.Any) -> list[dict[str, t.Any]]:
    """Use the filter as Ansible does."""
    found: list[dict[str, t.Any]] = plugin().FilterModule().filters()["csv_entries"](text, kind, **options)
    return found


def patterns(text: str, kind: str = "block_senders", **options: t.Any) -> list[str]:
    return [entry["pattern"] for entry in entries(text, kind, **options)]


def refused(text: str, kind: str = "block_senders", **options: t.Any) -> str:
    with pytest.raises(plugin().AnsibleFilterError) as caught:
        entries(text, kind, **options)
    return str(caught.value)


@pytest.mark.parametrize(
    ("cell", "pattern_type", "pattern"),
    [
        ("a@b.example", "EMAIL", "a@b.example"),
        ("  John.O'Neil+x@B.Example. ", "EMAIL", "john.o'neil+x@b.example"),
        ("Jane Doe <Jane@B.example>", "EMAIL", "jane@b.example"),
        ("<jane@b.example>", "EMAIL", "jane@b.example"),
        ("mailto:jane@b.example", "EMAIL", "jane@b.example"),
        ("{{x}}@b.example", "EMAIL", "{{x}}@b.example"),
        ("jane@b\u00fccher.example", "EMAIL", "jane@xn--bcher-kva.example"),
        ("\ufeff\u00a0b.example\u200b", "DOMAIN", "b.example"),
        ("B.EXAMPLE.", "DOMAIN", "b.example"),
        ("b\u00fccher.example", "DOMAIN", "xn--bcher-kva.example"),
        ("@b.example", "DOMAIN", "b.example"),
        ("*@b.example", "DOMAIN", "b.example"),
        ("198.51.100.7", "IP", "198.51.100.7"),
        ("198.51.100.7/24", "IP", "198.51.100.0/24"),
        ("2001:DB8::1", "IP", "2001:db8::1"),
        ("2001:db8::/32", "IP", "2001:db8::/32"),
    ],
)
def test_what_a_cell_becomes(cell: str, pattern_type: str, pattern: str) -> None:
    assert entries(f"x@y.example\n{cell}\n")[1:] == [{"pattern": pattern, "pattern_type": pattern_type}]


@pytest.mark.parametrize(
    ("cell", "matching", "other"),
    [
        ("*.b.example", ["a@x.b.example", "A@y.X.B.Example"], ["a@b.example", "a@xb.example", "a@x.b.example.evil.example"]),
        ("*@*.b.example", ["a@x.b.example"], ["a@b.example"]),
        ("news*@b.example", ["news@b.example", "News-1@b.example"], ["xnews@b.example", "news@x.b.example", "news@bXexample"]),
        ("*+*@b.example", ["a+b@b.example", "+@b.example"], ["a@b.example", "a@x+y@b.example"]),
        ("*.zip", ["a@x.zip"], ["a@zip", "a@x.zip.example"]),
    ],
)  # fmt: skip
def test_wildcards_become_a_regular_expression_with_the_same_meaning(
    cell: str, matching: list[str], other: list[str]
) -> None:
    (entry,) = entries(cell)
    assert (entry["pattern_type"], entry["is_regex"]) == ("EMAIL", True)
    assert [address for address in (*matching, *other) if re.search(entry["pattern"], address)] == matching


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("*evil*", "has a wildcard whose meaning is not certain"),
        ("*", "has a wildcard whose meaning is not certain"),
        ("*@*", "has a wildcard whose meaning is not certain"),
        ("*b.example", "has a wildcard whose meaning is not certain"),
        ("a@b.*", "has a wildcard whose meaning is not certain"),
        ("198.51.100.*", "has a wildcard whose meaning is not certain"),
        (".b.example", "write *.b.example for what is below the domain"),
        ("a%@b.example", "has % or ?"),
        ("a?@b.example", "has % or ?"),
        (r".*@b\.example", "looks like a regular expression"),
        (".*@b.example", "looks like a regular expression"),
        ("^a@b.example", "looks like a regular expression"),
        ("https://b.example/x", "is a URL"),
        ('"a@b.example, c@d.example"', "is not one address or domain"),
        ("a@b.example c@d.example", "is not one address or domain"),
        ("a@x <b@y.example>", "is not one address or domain"),
        ("a@b@c.example", "is not an address"),
        ("spam", "has no dot"),
        ("a@com", "has no dot"),
        ("a@", "is not an address, a domain"),
        ("b..example", "is not an address, a domain"),
        ("300.1.2.3", "is not an IP address"),
        ("a@198.51.100.7", "is not an IP address"),
        ("198.51.100.1-198.51.100.9", "is not an IP address; write"),
        ("10.0.0.0/8", "Cloudflare takes public addresses only"),
        ("a\u202eb@c.example", "has characters that cannot be seen"),
        ("j\udcf6rg@b.example", "read in a wrong encoding"),
        ("x\ufffdy@b.example", "read in a wrong encoding"),
    ],
)
def test_what_could_mean_two_things_is_refused(cell: str, words: str, warned: list[str]) -> None:
    text = f"Sender\nx@y.example\n{cell}\n"
    said = refused(text)
    assert said.startswith("The CSV cannot be used: line 3 (")
    assert words in said
    assert said.endswith(". Nothing was sent.")
    assert warned == []
    assert patterns(text, skip_refused=True) == ["x@y.example"]
    assert len(warned) == 1
    assert words in warned[0]


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffSender\r\na@b.example\r\n\r\n;\r\n@c.example\r\n".replace(";", " "),
        "Sender;Note\na@b.example;x, y\n@c.example\n",
        "Note\tE-Mail\nx; y\ta@b.example\n\t@c.example\n",
        "id|Address\n1|a@b.example\n2|@c.example",
        'Note,"Blocked_Sender", Pattern Type\n"two\r\nlines, and ""quotes""", a@b.example, EMAIL\nx,"c.example",DOMAIN\n',
        "# made by x; y, z\n\nSENDER ,x\n# old@b.example,x\na@b.example,1\nc.example,2\n",
        "sep=;\r\nSender;Note\r\na@b.example;1\r\nc.example;2\r\n",
        "a@b.example\rc.example\r",
        '"a@b.example"\n"c.example"',
        "Doe, Jane <a@b.example>\nc.example\n",
        "A@B.example\nc.example.\n",
    ],
)
def test_dialects_headings_comments_and_encodings(text: str, warned: list[str]) -> None:
    assert patterns(text) == ["a@b.example", "c.example"]
    assert warned == []


@pytest.mark.parametrize(
    ("column", "first"),
    [("Absender", "a@b.example"), ("ABSENDER ", "a@b.example"), ("2", "c.example"), (3, "d.example")],
)
def test_a_column_is_named_or_counted(column: t.Any, first: str) -> None:
    heading = "" if column == 3 else "Absender;2;Wert\n"
    assert patterns(f"{heading}a@b.example;c.example;d.example\n", column=column) == [first]


def test_a_number_does_not_take_a_line_for_a_heading_unless_it_is_a_usual_one() -> None:
    assert patterns("x,Domain\ny,b.example", column=2) == ["b.example"]
    assert "line 1 ('Wert') has no dot" in refused("x,Wert\ny,b.example", column=2)
    assert patterns("x,Wert\ny,b.example", column=2, comments_column="x") == ["b.example"]


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("", {}, "it has no rows"),
        ("# only\n\n", {}, "it has no rows"),
        ("a@b.example,1\n", {}, "it has 2 columns ('a@b.example', '1'); name the one with the patterns"),
        ("Sender,Domain\na@b.example,b.example\n", {}, "more than one column may have the patterns ('Sender', 'Domain')"),
        ("x,y\n1,2\n", {"column": "z"}, "the first line has no column 'z'"),
        ("x,x\n1,2\n", {"column": "x"}, "the first line has more than one column 'x'"),
        ("x,y\n1,2\n", {"column": 3}, "there is no column 3; the first line has 2"),
        ("x,y\n1,2\n", {"column": 0}, "there is no column 0"),
        ("x,y\n1,2\n", {"column": True}, "there is no column True"),
        ("x,y\n1,2\n", {"column": ["x"]}, "there is no column ['x']"),
        ("Sender\nb.example\n", {"comments_column": "Note"}, "the first line has no column 'Note'"),
        ("Sender\nb.example\n", {"fields": {"verify_senders": True}}, "fields has verify_senders"),
        ("Sender\nb.example\n", {"fields": {"pattern": "x"}}, "fields has pattern"),
        ("Sender\nb.example\n", {"fields": {"is_regex": True}}, "fields has is_regex"),
        ("Sender\nb.example\n", {"kind": "domains"}, "kind must be one of allow_policies, block_senders, trusted_domains"),
        ('Sender\n"b.example\n', {}, "line 2 is not valid CSV"),
        ("\0S\0e\0", {}, "it is not UTF-8"),
        ("Sender,Note\nb.example,x,y\n", {}, "line 2 ('b.example') is in a line with more columns than the first one has"),
        ("Sender,Note\n,x\n", {}, "line 2 ('') is empty"),
        ("Sender,Note\nb.example," + "x" * 1025, {"comments_column": "Note"}, "has comments of 1025 characters"),
        ("Sender,Note\nb.example,\udcf6", {"comments_column": "Note"}, "has comments that were read in a wrong encoding"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_even_if_lines_may_be_skipped(
    text: str, options: dict[str, t.Any], words: str
) -> None:
    assert words in refused(text, **options)
    assert words in refused(text, **options, skip_refused=True), "all lines are refused"


@pytest.mark.parametrize("fields", [7, "is_regex", ["x"]])
def test_fields_are_a_dictionary(fields: t.Any) -> None:
    assert "fields of csv_entries must be a dictionary" in refused("b.example\n", fields=fields)


@pytest.mark.parametrize("skips", ["maybe", 7, None, []])
def test_a_switch_that_is_none_skips_nothing(skips: t.Any) -> None:
    text = "b.example\n*x*\n"
    assert "skip_refused of csv_entries must be true or false" in refused(text, skip_refused=skips)
    assert entries(text, skip_refused="yes") == [{"pattern": "b.example", "pattern_type": "DOMAIN"}]
    assert "line 2" in refused(text, skip_refused="no")


@pytest.mark.parametrize("value", [None, ["a@b.example"], 7])
def test_only_text_is_csv(value: t.Any) -> None:
    assert "needs the text of a CSV file" in refused(value)


def test_a_heading_without_lines_is_an_empty_list() -> None:
    assert entries("Sender\n") == []


def test_all_refused_lines_are_in_one_error_by_the_line_where_they_begin() -> None:
    text = 'Note,Sender\n"two\nlines",*x*\n\nx,b.example\n' + "x,*y*\n" * 12
    said = refused(text)
    assert re.findall(r"line (\d+)", said) == ["2", *map(str, range(6, 15))]
    assert said.endswith(" and 3 more. Nothing was sent.")


def test_the_first_of_the_lines_with_the_same_entry_counts(warned: list[str]) -> None:
    text = "Sender,Note\nA@B.example,1\nb.example,2\na@b.example.,3\n@B.EXAMPLE,4\n*.c.example,5\n*@*.C.example,6\n"
    found = entries(text, comments_column="note")
    assert [entry["comments"] for entry in found] == ["1", "2", "5"]
    assert warned == [
        "Repeated lines of the CSV for block_senders are left out: line 4 ('a@b.example.') is the same entry as line 2, "
        "line 5 ('@B.EXAMPLE') is the same entry as line 3, line 7 ('*@*.C.example') is the same entry as line 6."
    ]


def test_fields_comments_and_expiry_are_added() -> None:
    text = 'Sender,Note\na@b.example," {{ 1 }}\r\nx "\nc.example,\n'
    options = {"fields": {"is_acceptable_sender": True, "comments": "moved"}, "expires": "2099-12-31"}
    assert entries(text, "allow_policies", comments_column=2, **options) == [
        {
            "pattern": "a@b.example", "pattern_type": "EMAIL", "is_acceptable_sender": True, "comments": "{{ 1 }}\nx",
            "expires": "2099-12-31",
        },
        {
            "pattern": "c.example", "pattern_type": "DOMAIN", "is_acceptable_sender": True, "comments": "moved",
            "expires": "2099-12-31",
        },
    ]  # fmt: skip


def test_trusted_domains_are_domains() -> None:
    text = "Domain\nB.example\n*@c.example\n"
    assert entries(text, "trusted_domains", fields={"is_recent": True}) == [
        {"pattern": "b.example", "is_recent": True},
        {"pattern": "c.example", "is_recent": True},
    ]
    for cell, words in (("a@b.example", "is not a domain"), ("198.51.100.7", "is not"), ("*.b.example", "a wildcard")):
        assert words in refused(f"Domain\n{cell}\n", "trusted_domains")


def test_the_documented_options_are_those_there_are() -> None:
    options = yaml.safe_load(plugin().DOCUMENTATION)["options"]
    code = plugin()._entries.__code__
    assert list(options) == ["_input", *code.co_varnames[1 : code.co_argcount]]
    assert tuple(options["kind"]["choices"]) == LISTS


# --- any list comes back -------------------------------------------------------------------------------------------------

WORDS = st.from_regex(r"[a-z0-9](?:[a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True).filter(lambda word: word[2:4] != "--")
NAMES = st.builds("{}.{}.example".format, WORDS, WORDS)
LOCALS = st.text("abcxyzABC0189.!#$&'*+/=_`{}~-", min_size=1, max_size=20).filter(
    lambda text: not re.search(r"[*$#]|\.\+", text)
)
ADDRESSES = st.builds("{}@{}".format, LOCALS, NAMES)
NOTES = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffd"), max_size=30).map(str.strip)


@given(
    st.lists(st.tuples(ADDRESSES | NAMES, NOTES), min_size=1, max_size=8, unique_by=lambda row: row[0].lower()),
    st.sampled_from([csv.excel, csv.excel_tab, csv.unix_dialect]),
    st.sampled_from([None, ",", ";", "\t", "|"]),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
    st.booleans(),
)
def test_any_list_comes_back(
    rows: list[tuple[str, str]], dialect: t.Any, delimiter: str | None, quoting: int, end: str, bom: bool, heading: bool
) -> None:
    file = io.StringIO(newline="")
    options = {} if delimiter is None else {"delimiter": delimiter}
    writer = csv.writer(file, dialect, quoting=quoting, lineterminator=end, **options)  # type: ignore[arg-type]
    writer.writerows([("Who", "Why"), *rows] if heading else rows)
    text = "\ufeff" * bom + file.getvalue()
    found = entries(text, column="Who" if heading else 1, comments_column=2)
    assert [entry["pattern"] for entry in found] == [pattern.lower() for pattern, _note in rows]
    assert [stripped(entry.get("comments", "")) for entry in found] == [stripped(note) for _pattern, note in rows]
    read_declared(KINDS["block_senders"], found, TODAY)


@given(st.text(max_size=80), st.sampled_from(LISTS), st.booleans())
def test_any_text_gives_entries_that_the_module_takes_or_an_error(text: str, kind: str, skip: bool) -> None:
    try:
        with mock.patch.object(plugin(), "Display"):
            found = entries(text, kind, skip_refused=skip)
    except plugin().AnsibleFilterError:
        return
    read_declared(KINDS[kind], found, TODAY)
