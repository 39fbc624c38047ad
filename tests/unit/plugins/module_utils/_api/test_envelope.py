# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading the envelope of an answer, or telling what came in its place."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._api.envelope import Reply, read_envelope
from ansible_collections.emailsec.cloudflare.plugins.module_utils._errors import (
    ApiError,
    AuthenticationError,
    CloudflareError,
    DoubtfulError,
    ForeignAnswerError,
    NotFoundError,
)
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import RAY, as_body, envelope, refusal
from hypothesis import given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

HTML = "<html><title>504 Gateway Time-out</title>secret page</html>"


def reply(content: object, status: int = 200, **headers: str) -> Reply:
    """Return an answer as it came."""
    given_headers = {
        "Content-Type": "application/json",
        "cf-ray": RAY,
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    return Reply(status, CaseInsensitiveDict(given_headers), as_body(content))


def refused(content: object, status: int) -> CloudflareError:
    """Return the error that an answer is."""
    with pytest.raises(CloudflareError) as caught:
        read_envelope(reply(content, status))
    return caught.value


@pytest.mark.parametrize("result", [None, [], [1], {"a": "b"}, "x"])
def test_a_success_is_returned_as_it_is(result: object) -> None:
    assert read_envelope(reply(envelope(result)))["result"] == result


# Every row of the table of errors that are known to occur.
KNOWN = [
    (
        400,
        refusal(
            6003,
            "Invalid request headers",
            error_chain=[{"code": 6111, "message": "Invalid format for Authorization header"}],
        ),
        AuthenticationError,
    ),
    (
        400,
        refusal(
            6003,
            "Invalid request headers",
            error_chain=[{"code": 6103, "message": "Invalid format for X-Auth-Key header"}],
        ),
        AuthenticationError,
    ),
    (400, refusal(1, "x", error_chain=[{"code": 6301, "message": "y"}]), AuthenticationError),
    (400, refusal(9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers"), AuthenticationError),
    (401, refusal(1000, "Invalid API Token"), AuthenticationError),
    (403, refusal(10000, "Authentication error"), AuthenticationError),
    (401, refusal(10000, "Authentication error"), AuthenticationError),
    (403, refusal(9109, "Unauthorized to access requested resource"), AuthenticationError),
    (404, refusal(7003, "Could not route to /x"), NotFoundError),
    (400, refusal(7003, "Could not route to /x"), ApiError),
    (400, refusal(1001, "List accounts endpoint does not support account owned tokens."), ApiError),
    (400, refusal(4102, "pattern exists"), ApiError),
    (409, refusal(1, "conflict"), ApiError),
    (422, refusal(1, "unprocessable"), ApiError),
    (200, refusal(1, "success is false all the same"), ApiError),
    (408, refusal(1, "timeout"), DoubtfulError),
    (425, refusal(1, "too early"), DoubtfulError),
    (500, refusal(1, "internal"), DoubtfulError),
    (502, envelope([]), DoubtfulError),
    (503, refusal(1, "unavailable"), DoubtfulError),
]


@pytest.mark.parametrize(("status", "content", "kind"), KNOWN)
def test_each_known_error_is_told_apart_and_told_in_the_apis_words(
    status: int, content: dict[str, t.Any], kind: type[CloudflareError]
) -> None:
    error = refused(content, status)
    assert error.__class__ is kind
    assert f"HTTP {status}" in str(error)
    assert RAY in str(error)
    for said in content["errors"]:
        assert said["message"] in str(error)
        assert str(said["code"]) in str(error)
        assert all(cause["message"] in str(error) for cause in said.get("error_chain", []))
    if isinstance(error, ApiError):
        assert error.details() == {"status": status, "errors": content["errors"], "cf_ray": RAY}


def test_codes_are_those_of_the_causes_too() -> None:
    error = refused(refusal(6003, "a", error_chain=[{"code": 6111, "message": "b"}]), 400)
    assert isinstance(error, ApiError)
    assert error.codes == {6003, 6111}


def test_the_pointer_to_the_culprit_is_kept() -> None:
    error = refused(refusal(1, "a", source={"pointer": "/ids/0"}), 400)
    assert isinstance(error, ApiError)
    assert error.errors == [{"code": 1, "message": "a", "source": {"pointer": "/ids/0"}}]


FOREIGN = {
    "html": HTML,
    "nothing": b"",
    "cut": b'{"success": true, "result": [{"id": "4Nj',
    "list": [],
    "no success": {"result": []},
    "success as text": {"success": "true"},
    "number": b"7",
    "not utf-8": b'{"success": true, "x": "\xff"}',
    "deep with a surrogate": b'{"success": true, "result": ' + b"[" * 700 + b'"\\ud800"' + b"]" * 700 + b"}",
    "deeper than it ever is": b'{"success": true, "errors": [{"message": ' + b"[" * 100 + b"]" * 100 + b"}]}",
    "objects in objects": b'{"success": true, "result": ' + b'{"a": ' * 100 + b"7" + b"}" * 100 + b"}",
    "deep": b'{"success": true, "result": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "huge number": b'{"success": true, "result": ' + b"9" * 5000 + b"}",
}


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN.keys())
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, DoubtfulError), (204, DoubtfulError), (408, DoubtfulError), (425, DoubtfulError),
        (500, DoubtfulError), (502, DoubtfulError), (504, DoubtfulError), (520, DoubtfulError), (526, DoubtfulError),
        (401, AuthenticationError), (403, AuthenticationError),
        (301, ForeignAnswerError), (307, ForeignAnswerError),
        (400, ForeignAnswerError), (404, ForeignAnswerError), (413, ForeignAnswerError),
    ],
)  # fmt: skip
def test_what_is_no_envelope_is_described_but_never_dumped(
    content: object, status: int, kind: type[CloudflareError]
) -> None:
    error = refused(content, status)
    assert error.__class__ is kind
    assert f"HTTP {status} (application/json, cf-ray {RAY})" in str(error)
    assert "secret page" not in str(error)
    assert "4Nj" not in str(error)


ODD_ERRORS: list[object] = [
    *(
        None,
        "x",
        7,
        {},
        [],
        [None],
        ["x"],
        [7],
        [{}],
        [{"code": "1000"}],
        [{"code": None, "message": None}],
        [{"message": {"a": 1}}],
    ),
    *(
        [{"code": 1, "error_chain": "x"}],
        [{"code": 1, "error_chain": [None]}],
        [{"source": 3}],
        [{"source": {"pointer": 3}}],
    ),
]


@pytest.mark.parametrize("errors", ODD_ERRORS)
def test_errors_of_any_shape_are_survived(errors: object) -> None:
    error = refused({"success": False, "errors": errors}, 400)
    assert isinstance(error, ApiError)
    assert isinstance(error.codes, set)
    json.dumps(error.details())


def test_half_a_surrogate_pair_does_not_reach_the_result() -> None:
    found = read_envelope(reply(b'{"success": true, "result": {"\\udc00": ["a\\ud800b", "\\ud83d\\ude00"]}}'))
    found["result"]["\ufffd"][0].encode()
    assert found["result"] == {"\ufffd": ["a\ufffdb", "\U0001f600"]}


def test_what_is_no_number_in_json_does_not_reach_the_result() -> None:
    assert read_envelope(reply(b'{"success": true, "result": [NaN, -Infinity, 1]}'))["result"] == [None, None, 1]


def test_foreign_words_are_stripped_of_what_could_trick_a_terminal() -> None:
    error = refused(refusal(1, "a\x1b[2Jb\r\nc\u202ed\x9b" + "x" * 5000), 400)
    assert str(error).isprintable()
    assert len(str(error)) < 500


def test_hostile_headers_are_stripped_too() -> None:
    text = str(reply("", 500, Content_Type="text/html\x1b[2J" + "x" * 999, cf_ray="\x1b" + "y" * 999))
    assert text.isprintable()
    assert len(text) < 250


def test_an_answer_without_headers_is_described() -> None:
    assert str(Reply(502, {}, b"")) == "HTTP 502 (no content type, cf-ray none)"


@pytest.mark.parametrize("code", [True, 1.5, [], 10**30])
def test_odd_codes_are_survived(code: object) -> None:
    assert isinstance(refused({"success": False, "errors": [{"code": code, "message": "m"}]}, 400), ApiError)


@given(st.binary(max_size=80), st.sampled_from([200, 202, 204, 302, 400, 403, 404, 429, 500, 599]))
def test_no_bytes_break_the_reading(body: bytes, status: int) -> None:
    with pytest.raises(CloudflareError):
        read_envelope(reply(body, status))
