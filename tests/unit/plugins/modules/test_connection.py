# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all modules share: where to connect, with which credential, and how they fail when they cannot."""

from __future__ import annotations

import json
import logging
import ssl
import typing as t
from pathlib import Path

import pytest
import requests
import urllib3
from ansible.module_utils import basic
from ansible_collections.emailsec.cloudflare.plugins.module_utils import _arguments, _message_arguments
from ansible_collections.emailsec.cloudflare.plugins.module_utils._api.client import Client, Credential, Settings
from ansible_collections.emailsec.cloudflare.plugins.module_utils._api.masking import Masker
from ansible_collections.emailsec.cloudflare.tests.unit.conftest import Runner
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import (
    ACCOUNT,
    EMAIL,
    KEY,
    TOKEN,
    URL,
    entry,
    envelope,
    investigate_id,
    path,
    refusal,
    released_row,
    row,
)
from ansible_collections.emailsec.cloudflare.tests.unit.support.http import BEARER, Script
from ansible_collections.emailsec.cloudflare.tests.unit.support.spellings import SPELLINGS, shows

MODULES = ["message_release", "message_info"]
BY_KEY = {"X-Auth-Email": EMAIL, "X-Auth-Key": KEY}
OTHER = "cfut_Other~odd!Token#2"
ONE = [investigate_id(1)]


def call(run: Runner, module: str, **options: t.Any) -> t.Any:
    """Run the module for one message that needs nothing done."""
    return run(module, **{"messages": ONE, **options})


def expect_call(script: Script) -> None:
    """Expect the only call that such a run makes."""
    script.get(path(1), envelope(released_row(1)))


@pytest.mark.parametrize("module", [*MODULES, "message_plan"])
def test_the_result_names_the_account_that_was_used(
    run: Runner, script: Script, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", ACCOUNT)
    expect_call(script)
    assert call(run, module, account_id=None).result["account_id"] == ACCOUNT


# --- credentials -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize(
    ("options", "environment", "headers"),
    [
        ({"api_token": TOKEN}, {}, BEARER),
        ({"api_email": EMAIL, "api_key": KEY}, {}, BY_KEY),
        ({}, {"CLOUDFLARE_API_TOKEN": TOKEN}, BEARER),
        ({}, {"CLOUDFLARE_EMAIL": EMAIL, "CLOUDFLARE_API_KEY": KEY}, BY_KEY),
        # An option beats the environment.
        ({"api_token": TOKEN}, {"CLOUDFLARE_API_TOKEN": OTHER}, BEARER),
        ({"api_token": TOKEN}, {"CLOUDFLARE_EMAIL": EMAIL, "CLOUDFLARE_API_KEY": KEY}, BEARER),
        ({"api_email": EMAIL, "api_key": KEY}, {"CLOUDFLARE_API_TOKEN": TOKEN}, BY_KEY),
        ({"api_email": EMAIL}, {"CLOUDFLARE_API_TOKEN": TOKEN, "CLOUDFLARE_API_KEY": KEY}, BY_KEY),
        ({"api_key": KEY}, {"CLOUDFLARE_EMAIL": EMAIL}, BY_KEY),
        # A token beats email and key from the environment.
        ({}, {"CLOUDFLARE_API_TOKEN": TOKEN, "CLOUDFLARE_EMAIL": EMAIL, "CLOUDFLARE_API_KEY": KEY}, BEARER),
        # What is empty counts as unset.
        ({"api_token": ""}, {"CLOUDFLARE_EMAIL": EMAIL, "CLOUDFLARE_API_KEY": KEY}, BY_KEY),
        ({}, {"CLOUDFLARE_API_TOKEN": "", "CLOUDFLARE_EMAIL": EMAIL, "CLOUDFLARE_API_KEY": KEY}, BY_KEY),
        ({"api_email": "", "api_key": ""}, {"CLOUDFLARE_API_TOKEN": TOKEN}, BEARER),
        ({}, {"CLOUDFLARE_API_TOKEN": TOKEN, "CLOUDFLARE_API_KEY": ""}, BEARER),
        # The line break of a file that it was read from is no part of it.
        ({}, {"CLOUDFLARE_API_TOKEN": f"{TOKEN}\n"}, BEARER),
    ],
)
def test_one_credential_is_chosen_and_only_it_is_sent(
    run: Runner,
    script: Script,
    monkeypatch: pytest.MonkeyPatch,
    module: str,
    options: dict[str, str],
    environment: dict[str, str],
    headers: t.Any,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    script.headers = headers
    expect_call(script)
    assert not call(run, module, **{"api_token": None, **options}).failed


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize(
    ("options", "environment", "words"),
    [
        ({}, {}, "there is no credential"),
        ({}, {"CLOUDFLARE_API_TOKEN": ""}, "there is no credential"),
        ({"api_token": TOKEN, "api_email": EMAIL, "api_key": KEY}, {}, "not both kinds"),
        ({"api_token": TOKEN, "api_key": KEY}, {}, "not both kinds"),
        ({"api_token": TOKEN, "api_email": EMAIL}, {}, "not both kinds"),
        ({"api_email": EMAIL}, {}, "the key is missing"),
        ({"api_key": KEY}, {}, "the email is missing"),
        ({}, {"CLOUDFLARE_EMAIL": EMAIL}, "the key is missing"),
        ({}, {"CLOUDFLARE_API_KEY": KEY}, "the email is missing"),
        ({"api_token": f"{TOKEN} {TOKEN}"}, {}, "white space"),
        ({"api_token": f"{TOKEN}\r\nX-Evil: 1"}, {}, "white space"),
        ({"api_token": f"{TOKEN}\u00e9"}, {}, "no credential has"),
        ({"api_token": "   "}, {}, "white space"),
        ({"api_email": f"{EMAIL}\nX: y", "api_key": KEY}, {}, "white space"),
        ({"api_token": f'"{TOKEN}"'}, {}, "the API token of the option api_token is in quotes"),
        ({"api_token": f"{TOKEN}'"}, {}, "is in quotes"),
        ({"api_token": f"\u201c{TOKEN}\u201d"}, {}, "is in quotes"),
        ({"api_token": f"`{TOKEN}`\n"}, {}, "is in quotes"),
        ({"api_token": f"CLOUDFLARE_API_TOKEN={TOKEN}"}, {}, "begins with a name, as NAME=value does"),
        ({"api_token": f"export CF_TOKEN = '{TOKEN}"}, {}, "begins with a name"),
        ({"api_token": f"api_token: {TOKEN}"}, {}, "begins with a name"),
        ({"api_token": f"Bearer {TOKEN}"}, {}, "begins with the name of a header"),
        ({"api_token": f"Authorization: Bearer {TOKEN}"}, {}, "begins with the name of a header"),
        ({"api_token": "<your-token>"}, {}, "is a placeholder"),
        ({"api_token": f"\u200b{TOKEN}"}, {}, "characters that no credential has"),
        (
            {},
            {"CLOUDFLARE_API_TOKEN": f'"{TOKEN}"'},
            "the API token of the environment variable CLOUDFLARE_API_TOKEN is in quotes",
        ),
        ({}, {"CLOUDFLARE_API_TOKEN": f"CLOUDFLARE_API_TOKEN={TOKEN}"}, "begins with a name"),
        (
            {"api_email": EMAIL, "api_key": f"'{KEY}'"},
            {},
            "the API key of the options api_email and api_key is in quotes",
        ),
        ({}, {"CLOUDFLARE_EMAIL": f'"{EMAIL}"', "CLOUDFLARE_API_KEY": KEY}, "the email of the environment variables"),
        ({}, {"CLOUDFLARE_EMAIL": EMAIL, "CLOUDFLARE_API_KEY": f"CLOUDFLARE_API_KEY={KEY}"}, "begins with a name"),
    ],
)
def test_no_usable_credential_is_one_clear_sentence_and_no_request(
    run: Runner,
    script: Script,
    monkeypatch: pytest.MonkeyPatch,
    module: str,
    options: dict[str, str],
    environment: dict[str, str],
    words: str,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    done = call(run, module, **{"api_token": None, **options})
    assert done.failed
    assert words in done.result["msg"]
    assert "\n" not in done.result["msg"]
    assert TOKEN not in done.printed
    assert KEY not in done.printed
    assert not script.sent


@pytest.mark.parametrize(
    ("module", "options", "words"),
    [
        ("message_info", {"subject": 39}, "subject is not a string but of type int (39); put it in quotes"),
        ("message_info", {"subject": 1.1}, "subject is not a string but of type float (1.1); put it in quotes"),
        ("message_info", {"recipient": False}, "recipient is not a string but of type bool (false); put it in quotes"),
        ("message_info", {"query": ["a"]}, "query is not a string but of type list; give one string"),
        ("message_info", {"since": 24}, "since is not a string"),
        ("message_info", {"result_file": 47}, "result_file is not a string but of type int (47)"),
        (
            "message_info",
            {"sender": "a.example", "subject": True, "query": 7},
            "subject is not a string but of type bool (true); put it",
        ),
        ("message_info", {"subject": "a\r"}, "subject ends in U+000D CARRIAGE RETURN"),
        ("message_release", {"messages": ONE, "ticket": 39}, "ticket is not a string but of type int (39)"),
        ("message_release", {"messages": ONE, "reason": {"a": 1}}, "reason is not a string but of type dict"),
        ("message_release", {"messages": ONE, "requested_by": 7}, "requested_by is not a string"),
        ("message_release", {"messages": ONE, "approved_by": 7}, "approved_by is not a string"),
        ("message_release", {"messages": ONE, "account_id": int("1" * 32)}, "account_id is not a string"),
        (
            "message_release",
            {"messages": ONE, "api_token": 4711471147114711},
            "api_token is not a string but of type int; put it",
        ),
        ("message_release", {"plan": "p", "only": ["a", 7]}, "only[1] is not a string but of type int (7)"),
        ("message_release", {"plan": "p", "only": 7}, "only[0] is not a string"),
        (
            "message_plan",
            {"since": "1d", "policy": {"denied_senders": ["a.example", 39]}},
            "policy.denied_senders[1] is not a string",
        ),
        (
            "message_plan",
            {"since": "1d", "policy": {"max_age": 7}},
            "policy.max_age is not a string but of type int (7)",
        ),
        (
            "message_plan",
            {"since": "1d", "policy": '{"protected_recipients": [true]}'},
            "policy.protected_recipients[0] is not",
        ),
    ],
)
def test_a_text_that_is_no_text_is_refused_and_never_shown_if_it_is_secret(
    run: Runner, script: Script, module: str, options: dict[str, t.Any], words: str
) -> None:
    done = run(module, **options)
    assert done.failed
    assert words in done.result["msg"]
    assert done.result["msg"].endswith("Nothing was sent.")
    assert "4711471147114711" not in done.printed
    assert not script.sent


def test_a_list_of_texts_has_no_null(run: Runner, script: Script) -> None:
    done = run("message_plan", since="1d", policy={"denied_senders": ["a.example", None]})
    assert done.failed
    assert "denied_senders" in done.result["msg"]  # Before 2.19, Ansible itself refuses it.
    assert not script.sent


def test_texts_and_what_is_not_given_are_taken_as_they_are(run: Runner, script: Script) -> None:
    script.get("investigate", {"success": True, "errors": [], "messages": [], "result": [], "result_info": {}})
    done = run("message_info", subject="0047", query="2026-11-20", recipient="no.example", null=["sender", "domain"])
    assert not done.failed, done.result["msg"]
    assert script.sent[0].query["subject"] == "0047"


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, option in _arguments.api_argument_spec(**_message_arguments.search_argument_spec()).items()
        if option["type"] in ("str", "path") and "choices" not in option
    ],
)
def test_no_text_of_connection_and_search_is_left_out(run: Runner, script: Script, name: str) -> None:
    options: dict[str, t.Any] = {name: 7}
    done = run("message_info", **options)
    assert f"{name} is not a string but of type int" in done.result["msg"]
    assert not script.sent


def test_a_netrc_never_replaces_the_credential(
    run: Runner, script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text(
        "machine api.cloudflare.com login bob password odd-netrc-password\ndefault login bob password odd\n"
    )
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    for headers, options in ((BEARER, {}), (BY_KEY, {"api_token": None, "api_email": EMAIL, "api_key": KEY})):
        script.headers = headers
        expect_call(script)
        assert not call(run, "message_info", **options).failed


# --- account and address -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", MODULES)
def test_the_account_comes_from_the_environment_unless_it_is_an_option(
    run: Runner, script: Script, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", ACCOUNT)
    expect_call(script)
    assert not call(run, module, account_id=None).failed
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", "0" * 32)
    expect_call(script)
    assert not call(run, module).failed


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize(
    "account",
    [None, "", "x", ACCOUNT[:-1], ACCOUNT + "0", "g" * 32, f"{ACCOUNT}\n", f"../{ACCOUNT[3:]}", "\u0663" * 32],
)
def test_a_malformed_account_is_refused_before_any_request(
    run: Runner, script: Script, module: str, account: str | None
) -> None:
    done = call(run, module, account_id=account)
    assert done.failed
    assert "account_id" in done.result["msg"]
    assert not script.sent


@pytest.mark.parametrize(
    ("given", "base"),
    [
        ("http://127.0.0.1:8787/client/v4", None),
        ("https://gateway.example/cf/", "https://gateway.example/cf"),
        ("https://[::1]:8443/v4", None),
    ],
)
@pytest.mark.parametrize("as_option", [True, False])
def test_another_address_is_used(
    run: Runner, script: Script, monkeypatch: pytest.MonkeyPatch, given: str, base: str | None, as_option: bool
) -> None:
    monkeypatch.setenv("CLOUDFLARE_BASE_URL", "https://elsewhere.example" if as_option else given)
    script.get(f"{base or given}/accounts/{ACCOUNT}/email-security/{path(1)}", envelope(released_row(1)))
    assert not call(run, "message_info", api_url=given if as_option else None).failed


def test_an_empty_address_in_the_environment_counts_as_unset(
    run: Runner, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOUDFLARE_BASE_URL", "")
    expect_call(script)
    assert not call(run, "message_info").failed


def test_an_address_without_tls_is_warned_of(run: Runner, script: Script) -> None:
    script.get(f"http://gateway.example/accounts/{ACCOUNT}/email-security/{path(1)}", envelope(released_row(1)))
    done = call(run, "message_info", api_url="http://gateway.example")
    assert "unencrypted" in json.dumps(done.result["warnings"])


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize(
    "url",
    ["api.cloudflare.com", "ftp://api.example", "https://", "https:///v4", "https://host:99999/v4", "https://host:0/v4", "https://host:x/v4", "https://[::1/v4",
     f"{URL}?a=b", f"{URL}#x", "https://ho st/v4", "https://host/v4\nX: y", "javascript:alert(1)", "https://host\\@evil.example"],
)  # fmt: skip
def test_what_is_no_address_is_refused_before_any_request(run: Runner, script: Script, module: str, url: str) -> None:
    done = call(run, module, api_url=url)
    assert done.failed
    assert "api_url" in done.result["msg"]
    assert "\n" not in done.result["msg"]
    assert not script.sent


@pytest.mark.parametrize(
    "url",
    [
        "https://bob:S3cr%65tOdd@api.example/v4", "https://bob:S3cretOdd@api.example/v4", "http://bob:S3cretOdd@127.0.0.1/v4",
        "https://bob:S3cr[etOdd@api.example/v4", "https://bob:S3cr[etOdd]@api.example/v4", "https://bob:S3cretOdd@api.example:99999/v4",
        "bob:S3cretOdd@api.example/v4", "https://bob:S3cretOdd@/v4", "https:bob:S3cretOdd@h/v4", "https://bob:S3cr/etOdd@api.example/v4",
        "https://bob:S3cr?etOdd@api.example/v4", "https://bob:S3cr#etOdd@api.example/v4", "https://bob:S3cr@etOdd@api.example/v4",
        "https://:S3cretOdd@api.example/v4", "ftp://bob:S3cretOdd@api.example",
    ],
)  # fmt: skip
@pytest.mark.parametrize("as_option", [True, False])
def test_a_password_in_the_address_is_refused_and_masked(
    run: Runner, script: Script, monkeypatch: pytest.MonkeyPatch, url: str, as_option: bool
) -> None:
    if not as_option:
        monkeypatch.setenv("CLOUDFLARE_BASE_URL", url)
    done = call(run, "message_release", api_url=url if as_option else None)
    assert done.failed
    assert "user name or password" in done.result["msg"]
    assert "etOdd" not in done.printed
    assert "S3cr" not in done.printed
    assert not script.sent


@pytest.mark.parametrize(
    "options",
    [
        {"timeout": 0},
        {"timeout": -1},
        {"timeout": 1e9},
        {"timeout": "nan"},
        {"timeout": "inf"},
        {"timeout": "x"},
        {"retries": -1},
        {"max_wait": -1},
        {"max_wait": "nan"},
        {"max_wait": "inf"},
    ],
)
def test_numbers_out_of_range_are_refused(run: Runner, script: Script, options: dict[str, t.Any]) -> None:
    done = call(run, "message_info", **options)
    assert done.failed
    assert next(iter(options)) in done.result["msg"]
    assert not script.sent


# --- TLS ---------------------------------------------------------------------------------------------------------------


def test_certificates_are_checked_by_default_with_each_request(run: Runner, script: Script) -> None:
    expect_call(script)
    call(run, "message_info")
    assert script.sent[0].options["verify"] is True


def test_no_verification_wins_over_requests_ca_bundle(
    run: Runner, script: Script, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.touch()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    expect_call(script)
    call(run, "message_info", validate_certs=False)
    assert script.sent[0].options["verify"] is False


def test_requests_ca_bundle_is_honoured_otherwise(
    run: Runner, script: Script, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path))
    expect_call(script)
    call(run, "message_info")
    assert script.sent[0].options["verify"] == str(tmp_path)


def test_ca_path_wins_over_requests_ca_bundle(
    run: Runner, script: Script, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    expect_call(script)
    call(run, "message_info", ca_path=str(tmp_path))
    assert script.sent[0].options["verify"] == str(tmp_path)


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("content", [None, "", "not a certificate"])
def test_an_unreadable_ca_file_is_refused_before_any_request(
    run: Runner, script: Script, tmp_path: Path, module: str, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "ca.pem").write_text(content)
    done = call(run, module, ca_path=str(tmp_path / "ca.pem"))
    assert done.failed
    assert "ca_path" in done.result["msg"]
    assert not script.sent


# --- errors of the transport -------------------------------------------------------------------------------------------

POOL: t.Any = urllib3.connection.HTTPSConnection("api.cloudflare.com")
REFUSED = urllib3.exceptions.NewConnectionError(
    POOL, "Failed to establish a new connection: [Errno 111] Connection refused"
)


def max_retries(reason: Exception) -> urllib3.exceptions.MaxRetryError:
    """Return an error as urllib3 wraps it."""
    return urllib3.exceptions.MaxRetryError(POOL, "/client/v4", reason)


TUNNEL = OSError("Tunnel connection failed: 407 Proxy Authentication Required")
CERTIFICATE = ssl.SSLCertVerificationError(
    1, "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate"
)
TRANSPORT = {
    "refused": (requests.exceptions.ConnectionError(max_retries(REFUSED)), "could not connect", "check api_url"),
    "connect timeout": (
        requests.exceptions.ConnectTimeout(max_retries(urllib3.exceptions.ConnectTimeoutError(POOL, "timed out"))),
        "no connection",
        "firewall",
    ),
    "certificate": (requests.exceptions.SSLError(max_retries(urllib3.exceptions.SSLError(CERTIFICATE))), "certificate", "ca_path"),
    "proxy": (
        requests.exceptions.ProxyError(max_retries(urllib3.exceptions.ProxyError("Unable to connect to proxy", REFUSED))),
        "through the proxy",
        "proxy",
    ),
    "proxy refuses": (
        requests.exceptions.ProxyError(max_retries(urllib3.exceptions.ProxyError("Unable to connect to proxy", TUNNEL))),
        "through the proxy",
        "407",
    ),
    "read timeout": (
        requests.exceptions.ReadTimeout(urllib3.exceptions.ReadTimeoutError(POOL, "/", "Read timed out.")),
        "no answer from",
        "timeout",
    ),
}  # fmt: skip


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize(("error", "tried", "advice"), TRANSPORT.values(), ids=TRANSPORT.keys())
def test_errors_say_what_was_tried_and_what_to_do(
    run: Runner, script: Script, module: str, error: Exception, tried: str, advice: str
) -> None:
    script.get(path(1), error)
    done = call(run, module, retries=0)
    assert done.failed
    assert tried in done.result["msg"].lower()
    assert advice in done.result["msg"]
    assert "api.cloudflare.com" in done.result["msg"]
    assert "0x" not in done.result["msg"]
    assert TOKEN not in done.printed


def test_a_read_is_repeated_and_a_certificate_is_not_tried_again(run: Runner, script: Script) -> None:
    script.get(path(1), TRANSPORT["refused"][0])
    script.get(path(1), TRANSPORT["read timeout"][0])
    script.get(path(1), "<html>", 502)
    script.get(path(1), refusal(1, "internal"), 500)
    expect_call(script)
    assert not call(run, "message_info", retries=4).failed
    script.get(path(1), TRANSPORT["certificate"][0])
    assert call(run, "message_info", retries=4).failed


def test_a_release_that_never_connected_is_sent_again(run: Runner, script: Script) -> None:
    script.get(path(1), envelope(row(1)))
    script.release(ONE, TRANSPORT["refused"][0])
    script.release(ONE, envelope([entry(1)]))
    done = call(run, "message_release")
    assert done.statuses == ["released"]
    assert done.result["api_calls"] == 2, "what never left is no request"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", ["https://evil.example/v4", f"{URL}/elsewhere", "/v5"])
def test_a_redirect_is_never_followed(run: Runner, script: Script, status: int, location: str) -> None:
    script.get(path(1), "", status, location=location)
    done = call(run, "message_info")
    assert done.failed
    assert "redirect" in done.result["msg"]


@pytest.mark.parametrize("content", ["", envelope([])])
def test_a_release_is_not_redirected_either(run: Runner, script: Script, content: t.Any) -> None:
    script.get(path(1), envelope(row(1)))
    script.release(ONE, content, 307, location="https://evil.example/v4")
    script.get(path(1), envelope(row(1)))
    done = call(run, "message_release")
    assert done.failed
    assert "redirect" in done.result["msg"]
    assert done.result["changed"] is False


def test_the_proxy_of_the_environment_is_used(run: Runner, script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    expect_call(script)
    call(run, "message_info")
    assert script.sent[0].options["proxies"]["https"] == "http://proxy.example:3128"


# --- secrets -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("as_option", [True, False])
def test_no_secret_is_printed_even_if_the_server_repeats_it(
    run: Runner, script: Script, monkeypatch: pytest.MonkeyPatch, module: str, as_option: bool
) -> None:
    logged: list[str] = []
    monkeypatch.setattr(
        basic.AnsibleModule, "log", lambda _self, message, log_args=None: logged.append(f"{message} {log_args}")
    )
    if not as_option:
        monkeypatch.setenv("CLOUDFLARE_EMAIL", EMAIL)
        monkeypatch.setenv("CLOUDFLARE_API_KEY", KEY)
    options = {"api_email": EMAIL, "api_key": KEY} if as_option else {}
    script.headers = BY_KEY
    script.get(path(1), refusal(10000, f"Authentication error for {KEY} and {TOKEN}"), 403)
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", TOKEN if as_option else "")
    done = call(run, module, api_token=None, **options)
    assert done.failed
    assert KEY not in done.printed + str(logged)
    if as_option:
        assert TOKEN not in done.printed + str(logged)


@pytest.mark.parametrize("token", ["4PfX", "true", "id", "Qz", "0"])
def test_a_token_that_is_part_of_the_answer_changes_nothing_in_it(run: Runner, script: Script, token: str) -> None:
    script.headers = {"Authorization": f"Bearer {token}"}
    script.get(path(1), envelope(row(1)))
    script.release(ONE, envelope([entry(1)]))
    done = call(run, "message_release", api_token=token)
    assert not done.failed


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_secret_that_the_server_repeats_is_masked_in_every_spelling(
    run: Runner, script: Script, module: str, spelling: str
) -> None:
    secret = SPELLINGS[spelling](TOKEN)
    script.get(path(1), refusal(10000, "x" * 290 + secret, source={"pointer": secret}), 403, cf_ray=f"{TOKEN}-FRA")
    done = call(run, module)
    assert done.failed
    assert shows(done.printed, TOKEN, secret) == []


@pytest.mark.parametrize("option", ["subject", "sender", "messages"])
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_secret_in_another_option_is_refused_and_not_shown(
    run: Runner, script: Script, option: str, spelling: str
) -> None:
    secret = SPELLINGS[spelling](TOKEN)
    value: t.Any = [f"<{secret}@x.example>"] if option == "messages" else f"for {secret}"
    done = run("message_info", **{option: value})
    assert done.failed
    assert f"{option} contains the API token" in done.result["msg"]
    assert shows(done.printed, TOKEN, secret) == []
    assert not script.sent


@pytest.mark.parametrize("option", ["reason", "ticket"])
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_secret_that_somebody_pastes_reaches_no_journal_and_no_plan(
    run: Runner, script: Script, tmp_path: t.Any, option: str, spelling: str
) -> None:
    secret = SPELLINGS[spelling](TOKEN)
    for module, file in (
        ("message_release", {"journal": str(tmp_path / "j")}),
        ("message_plan", {"dest": str(tmp_path / "p")}),
    ):
        done = call(run, module, **{option: secret}, **file)
        assert done.failed
        assert shows(done.printed, TOKEN, secret) == []
    assert not script.sent
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_secret_in_an_answer_reaches_neither_journal_nor_result(
    run: Runner, script: Script, tmp_path: t.Any, spelling: str
) -> None:
    secret = SPELLINGS[spelling](TOKEN)
    script.get(path(1), envelope({**row(1, subject=secret), secret: secret}))
    script.release(ONE, envelope([{**entry(1), "delivered": [secret]}]))
    done = call(run, "message_release", journal=str(tmp_path / "j"))
    assert done.statuses == ["released"]
    assert shows(done.printed + (tmp_path / "j").read_text(), TOKEN, secret) == []


def test_the_account_id_is_not_shown_as_it_may_be_a_token(run: Runner, script: Script) -> None:
    done = call(run, "message_info", account_id=KEY, api_token=ACCOUNT)
    assert "32 hexadecimal digits" in done.result["msg"]
    assert KEY not in done.result["msg"]


def test_no_secret_is_logged_at_debug_nor_in_repr(
    run: Runner, script: Script, caplog: pytest.LogCaptureFixture, clock: t.Any
) -> None:
    caplog.set_level(logging.DEBUG)
    script.get(path(1), envelope(row(1)))
    call(run, "message_info")
    settings = Settings(URL, ACCOUNT, Credential(dict(BEARER), "token of the test"), masker=Masker([TOKEN]))
    assert TOKEN not in f"{caplog.text} {settings!r} {vars(Client(settings, clock))!r}"


def test_a_missing_requests_is_told_with_the_python_that_lacks_it(
    run: Runner, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_arguments, "IMPORT_ERROR", "Traceback: no module named requests")
    done = call(run, "message_info")
    assert done.failed
    assert "requests" in done.result["msg"]
    assert "python" in done.result["msg"].lower()
    assert not script.sent
