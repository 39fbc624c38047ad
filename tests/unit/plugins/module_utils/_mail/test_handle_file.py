# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists of messages in files: what is read, and what is refused whole."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._errors import InputError
from ansible_collections.emailsec.cloudflare.plugins.module_utils._mail import handle_file as handle_file_module
from ansible_collections.emailsec.cloudflare.plugins.module_utils._mail.handle_file import read_handles
from ansible_collections.emailsec.cloudflare.tests.unit.conftest import Runner
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import envelope, investigate_id, path, row
from ansible_collections.emailsec.cloudflare.tests.unit.support.http import Script

HOSTILE = '<{{lookup("pipe","id")}}@evil.example>'
MODULES = ("message_release", "message_info", "message_plan")


def read(directory: Path, content: str | bytes, column: str | None = None) -> list[str]:
    """Read a file with this content."""
    file = directory / "list"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return [handle.text for handle in read_handles(str(file), column)]


@pytest.mark.parametrize(
    ("content", "handles"),
    [
        ("a1\n<b@c.example>\n", ["a1", "<b@c.example>"]),
        ("a1\r\n\r\n \t\r\nb2", ["a1", "b2"]),
        ("\n  a1\t\n a1\nb2\rc3\n", ["a1", "b2", "c3"]),
        (f"{HOSTILE}\n<{{%x%}}@e.example>\n<{{#@e.example>", [HOSTILE, "<{%x%}@e.example>", "<{#@e.example>"]),
        ("<a,b;c@d.example>", ["<a,b;c@d.example>"]),
        ("id", []),
        ("", []),
        (" \r\n\n", []),
        ("\ufeff", []),
        ("\ufeffa1", ["a1"]),
        ("\ufeffid,subject\na1,x\n", ["a1"]),
        ("Subject;Message-ID\n\nhello, you;<b@c.example>\n;;\n".replace(";;", ";"), ["<b@c.example>"]),
        ("subject\tpostfix_id\nhello; you, too\ta1\n", ["a1"]),
        ('subject,id\n"a, ""b"" \nline",a1\r\n"x","b2"\r\n', ["a1", "b2"]),
        (f'message_id,subject\n"{HOSTILE}",x\n'.replace('"pipe","id"', '""pipe"",""id""'), [HOSTILE]),
        ('id, subject\na1, "x, y"\n', ["a1"]),
        ("postfix_id,id\na1,b2\n", ["a1"]),
        ("MESSAGE_ID , id\na1,b2", ["a1"]),
        ("\n\n id\na1\n", ["a1"]),
    ],
)
def test_what_is_read(tmp_path: Path, content: str, handles: list[str]) -> None:
    assert read(tmp_path, content) == handles
    assert read(tmp_path, content.lstrip("\ufeff").encode("utf-16")) == handles


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_both_orders_of_utf16_are_read(tmp_path: Path, encoding: str) -> None:
    assert read(tmp_path, "\ufeffid\tx\na1\tä\n".encode(encoding)) == ["a1"]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_byte_order_mark_is_read_if_it_is_certain(tmp_path: Path, encoding: str) -> None:
    assert read(tmp_path, "id\r\na1\r\n<b@c.example>\r\n".encode(encoding)) == ["a1", "<b@c.example>"]


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "cp850"])
def test_old_encodings_are_read_where_the_handles_are_ascii(tmp_path: Path, encoding: str) -> None:
    assert read(tmp_path, "id;Betreff\r\na1;Grüße\r\nb2;ä\r\n".encode(encoding)) == ["a1", "b2"]


def test_handles_are_cleaned_in_files_as_elsewhere(tmp_path: Path) -> None:
    assert read(tmp_path, "\ufeffa1\xa0\n\xa0\n\u201cb2\u201d,\n\ufeff'c3';\n".encode()) == ["a1", "b2", "c3"]
    assert read(tmp_path, "\x93a1\x94\xa0\r\x91b2\x92,".encode("latin-1")) == ["a1", "b2"]
    assert read(tmp_path, "\ufeff\ufeffid,x\r\u200ba1,y\r") == ["a1"]


def test_a_column_can_be_named(tmp_path: Path) -> None:
    assert read(tmp_path, "id;Message ID\na1;b2\n", "message id") == ["b2"]
    assert read(tmp_path, 'id;"a;b"\na1;b2\n', "a;b") == ["b2"]
    assert read(tmp_path, "", "id") == []


@pytest.mark.parametrize(
    ("content", "column", "words"),
    [
        ("a1\n# why\nb2", None, "line 2 begins with #; comments are not supported. Put one id"),
        ("a1\n#b2", None, "line 2 begins with #"),
        (
            "a1\nb c\n\nx/y",
            None,
            "line 2 contains white space (U+0020 SPACE); line 4 contains a slash",
        ),
        ("a1\x0bb2", None, "line 1 contains white space"),
        ("a1\u2028b2", None, "line 1 contains white space"),
        ("a1,b2", None, "line 1 contains U+002C COMMA (,). Put one id or Message-ID and nothing else on each line"),
        ("a@b.example,c@d.example", None, "line 1 contains U+002C COMMA"),
        ("<a@b.example>,<c@d.example>", None, "line 1 contains U+003E GREATER-THAN SIGN"),
        ('"a1', None, "line 1 contains U+0022 QUOTATION MARK"),
        (f"{investigate_id(1)}\tAlice\n", None, "line 1 contains white space (U+0009 TAB)"),
        (f"{investigate_id(1)}\n- {investigate_id(2)}\n", None, "line 2 contains white space"),
        (f"id\n1. {investigate_id(2)}\n", None, "line 2 contains white space"),
        (f"a1\n{investigate_id(1)}\u200b{investigate_id(2)}\n", None, "line 2 contains U+200B ZERO WIDTH SPACE"),
        ("sep=;\nid;x\na1;b2", None, "line 2 contains U+003B SEMICOLON"),
        ("x" * 999, None, "line 1 has 999 octets"),
        ("\n".join(["x/"] * 9), None, "and 4 more"),
        ("id,subject\na1,x\n,y\n", None, "line 3 is empty"),
        ("id,subject\na1,x, y\n", None, "line 2 has 3 columns, and the header has 2"),
        ("id,subject\na1\n", None, "line 2 has 1 columns, and the header has 2"),
        ('id,subject\na1,"x\nb2,y\n', None, "is not valid CSV"),
        ('id\n"a1"b\n', None, "line 2 is not valid CSV"),
        ('subject,id\n"x\ny",a/b\n', None, "line 2 contains a slash"),
        ("id,subject,ID\na1,x,y\n", None, "the header in line 1 has the column 'id' more than once"),
        ("id,x,x\na1,b,c\n", "x", "the header in line 1 has the column 'x' more than once"),
        ("\nid\na1\n", "ticket", "the header in line 2 has no column 'ticket'"),
        ("a1\n", "", "the header in line 1 has no column ''"),
        (b"a1\nb\xe42\n", None, "line 2 is not valid UTF-8; save the file as UTF-8"),
        (b"\xff\xfea\x00\n\x00\x00\xd8\n\x00", None, "line 2 is not valid UTF-16"),
        (b"a1\n\nb\0c", None, "line 3 contains a NUL character"),
        (b"id\n<\xe4@b.example>\n", None, "line 2 is not valid UTF-8; save the file as UTF-8"),
        ("id;x\na1;ä\n".encode("utf-16-le"), None, "line 1 contains a NUL character"),
        ("\ufeffa1".encode("utf-32-le"), None, "line 1 contains a NUL character"),
    ],
)
def test_what_is_refused(tmp_path: Path, content: str | bytes, column: str | None, words: str) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, content, column)
    assert words in str(caught.value)
    assert str(caught.value).startswith(f"The list of messages {tmp_path}/list cannot be used: ")
    assert str(caught.value).endswith(". Nothing was sent.")


def test_what_is_no_file_is_refused_and_nobody_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "fifo")
    for name in ("fifo", "/dev/zero"):
        with pytest.raises(InputError, match="it is not a regular file"):
            read_handles(str(tmp_path / name))
    for name in ("", "missing", "nul\0", str(tmp_path)):
        with pytest.raises(InputError, match="it cannot be read"):
            read_handles(name)
    monkeypatch.setattr(handle_file_module, "_MAX_BYTES", 1024**2)
    with pytest.raises(InputError, match="it is larger than 1 MiB"):
        read(tmp_path, "x" * (1024**2 + 1))


@pytest.mark.parametrize("name", MODULES)
def test_a_module_takes_a_file(tmp_path: Path, run: Runner, script: Script, name: str) -> None:
    file = tmp_path / "list.csv"
    file.write_text(f"subject;the id\nx;{investigate_id(1)}\n")
    script.get(path(1), envelope(row(1)))
    done = run(name, messages_file=str(file), messages_column="the id", check=True)
    assert not done.failed, done.result["msg"]
    assert done.result["api_calls"] == 1
    assert investigate_id(1) in done.printed


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("options", [{"messages": []}, {"plan": "p"}, {"since": "1d"}, {"sender": "a.example"}])
def test_a_file_excludes_other_ways(tmp_path: Path, run: Runner, name: str, options: dict[str, t.Any]) -> None:
    (tmp_path / "list").write_text("a1")
    done = run(name, messages_file=str(tmp_path / "list"), **options)
    assert done.failed
    assert "mutually exclusive" in done.result["msg"] or "Unsupported parameters" in done.result["msg"]


@pytest.mark.parametrize("name", MODULES)
def test_a_bad_line_or_a_column_alone_makes_no_request(tmp_path: Path, run: Runner, name: str) -> None:
    (tmp_path / "list").write_text(f"{investigate_id(1)}\nx/y\n")
    done = run(name, messages_file=str(tmp_path / "list"))
    assert (done.failed, "line 2 contains a slash" in done.result["msg"]) == (True, True)
    assert run(name, messages=["a1"], messages_column="id").failed


def test_an_empty_file_is_nothing_to_do(tmp_path: Path, run: Runner) -> None:
    (tmp_path / "list").touch()
    done = run("message_release", messages_file=str(tmp_path / "list"))
    assert (done.failed, done.result["changed"], done.result["messages"], done.result["api_calls"]) == (
        False,
        False,
        [],
        0,
    )
    assert run("message_release", plan="").failed, "an empty path is not an empty list"
