# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole module message_plan, and message_release with its plans, against scripted HTTP."""

from __future__ import annotations

import json
import os
import stat
import typing as t
from pathlib import Path

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._plan.document import digest, seal
from ansible_collections.emailsec.cloudflare.tests.unit.conftest import Runner
from ansible_collections.emailsec.cloudflare.tests.unit.support.clock import FakeClock
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import (
    TOKEN,
    entry,
    envelope,
    investigate_id,
    page,
    path,
    refusal,
    released_row,
    row,
)
from ansible_collections.emailsec.cloudflare.tests.unit.support.http import Reply, Script
from ansible_collections.emailsec.cloudflare.tests.unit.support.module import Finished

UNKNOWN = refusal(1002, "message not found")
GOOD: dict[str, t.Any] = {"validation": {"dmarc": "pass"}}


NO_DIGESTS = ("", "  ", "[]", "{}", "null", "False", "sha256:", "a" * 63, "md5:" + "a" * 64)


@pytest.fixture
def dest(tmp_path: Path) -> Path:
    return tmp_path / "plan.json"


def planned(run: Runner, script: Script, dest: Path, **options: t.Any) -> Finished:
    """Make a plan that releases message 1 and blocks message 2."""
    script.get("investigate", page([row(1, **GOOD), row(2, final_disposition="MALICIOUS", **GOOD)]))
    return run("message_plan", sender="sender.example", dest=str(dest), **options)


def test_a_search_makes_a_plan_that_only_its_owner_may_read(run: Runner, script: Script, dest: Path) -> None:
    script.get(
        "investigate",
        page([row(1, **GOOD)]),
        query={
            "sender": "sender.example",
            "delivery_status": "quarantined",
            "detections_only": "false",
            "per_page": "1000",
        },
    )
    done = run("message_plan", sender="sender.example", dest=str(dest), ticket="INC-1")
    assert done.result["changed"] is True
    assert done.result["msg"] == "1 message: 1 to release to 1 recipient, 0 blocked."
    assert json.loads(dest.read_text()) == done.result["plan"]
    assert done.result["digest"] == digest(done.result["plan"])
    assert [stat.S_IMODE(Path(name).stat().st_mode) for name in (dest, done.result["plan_file"])] == [0o600] * 2
    assert done.result["plan"]["search"] == {
        "sender": "sender.example",
        "delivery_status": "quarantined",
        "detections_only": False,
    }


def test_no_plan_has_a_secret_that_the_server_repeats(run: Runner, script: Script, dest: Path) -> None:
    sender: dict[str, t.Any] = {"from": f"a@{TOKEN}.example"}
    script.get("investigate", page([row(1, subject=f"for {TOKEN}", **sender)]))
    done = run("message_plan", since="1h", dest=str(dest))
    files = [path.read_text() for path in dest.parent.iterdir()]
    assert len(files) == 2
    assert [text for text in (done.printed, *files) if TOKEN in text] == []


def test_the_same_decisions_keep_the_file_until_it_expires(
    run: Runner, script: Script, dest: Path, clock: FakeClock
) -> None:
    first = planned(run, script, dest, expires_in="2h")
    clock.sleep(3600)
    second = planned(run, script, dest, expires_in="2h")
    assert (second.result["changed"], second.result["digest"]) == (False, first.result["digest"])
    clock.sleep(3600)
    assert planned(run, script, dest, expires_in="2h").result["changed"] is True


@pytest.mark.parametrize("shorter", ["1h", "119m"])
def test_a_plan_that_outlives_what_is_asked_for_now_is_not_kept(
    run: Runner, script: Script, dest: Path, shorter: str
) -> None:
    first = planned(run, script, dest, expires_in="2h").result
    second = planned(run, script, dest, expires_in=shorter).result
    assert second["changed"] is True
    assert json.loads(dest.read_text())["expires_at"] == second["plan"]["expires_at"] < first["plan"]["expires_at"]


@pytest.mark.parametrize(
    "change",
    [
        {"expires_at": "2029-01-01T00:00:00Z"},
        {"created_at": "2026-12-31T00:00:00Z"},
        {"policy": {"max_messages": True}},
        {"version": True},
        {"requested_by": "somebody else"},
        {"search": {"sender": "other.example"}},
    ],
)
def test_a_planted_plan_is_not_kept(run: Runner, script: Script, dest: Path, change: dict[str, t.Any]) -> None:
    plan = planned(run, script, dest, check=True, policy={"max_messages": 1}).result["plan"]
    change = {**change, **({"policy": {**plan["policy"], **change["policy"]}} if "policy" in change else {})}
    dest.write_text(json.dumps(seal({**plan, **change})))
    done = planned(run, script, dest, policy={"max_messages": 1})
    assert done.result["changed"] is True
    assert json.loads(dest.read_text()) == plan


def test_a_second_plan_leaves_the_one_that_waits(run: Runner, script: Script, dest: Path) -> None:
    first = planned(run, script, dest, ticket="INC-1").result
    second = planned(run, script, dest, ticket="INC-2").result
    assert (first["waiting"], second["changed"]) == (None, True)
    assert first["plan_file"] == str(dest.with_name(f"plan.{first['digest'][7:19]}.json"))
    assert second["waiting"] == {
        "digest": first["digest"],
        "plan_file": first["plan_file"],
        "expires_at": first["plan"]["expires_at"],
        "requested_by": None,
        "reason": None,
        "ticket": "INC-1",
    }
    assert f"{first['digest']}, kept in {first['plan_file']}" in second["msg"]
    for done in (first, second):
        script.get(path(1), envelope(released_row(1, **GOOD)))
        assert json.loads(Path(done["plan_file"]).read_text()) == done["plan"]
        assert stat.S_IMODE(Path(done["plan_file"]).stat().st_mode) == 0o600
        applied = run("message_release", plan=str(dest), plan_digest=done["digest"], check=True).result
        assert applied["plan_digest"] == done["digest"]
    assert json.loads(dest.read_text()) == second["plan"]


def test_a_plan_whose_own_file_is_gone_is_still_not_lost(run: Runner, script: Script, dest: Path) -> None:
    first = planned(run, script, dest, ticket="INC-1").result
    Path(first["plan_file"]).unlink()  # as 0.4.0 wrote none
    assert planned(run, script, dest, ticket="INC-1").result["plan_file"] == first["plan_file"]
    assert Path(first["plan_file"]).exists()
    Path(first["plan_file"]).unlink()
    planned(run, script, dest, ticket="INC-2")
    assert json.loads(Path(first["plan_file"]).read_text()) == first["plan"]


def test_what_no_longer_waits_is_not_told_of(run: Runner, script: Script, dest: Path, clock: FakeClock) -> None:
    planned(run, script, dest, expires_in="1h")
    clock.sleep(3600)
    assert planned(run, script, dest, expires_in="2h").result["waiting"] is None
    script.get("investigate", page([]))
    assert run("message_plan", sender="sender.example", dest=str(dest)).result["waiting"]
    assert planned(run, script, dest).result["waiting"] is None, "a plan that releases nothing waits for nobody"


def test_check_mode_tells_of_the_plan_that_waits_and_writes_nothing(run: Runner, script: Script, dest: Path) -> None:
    first = planned(run, script, dest, ticket="INC-1").result
    before = {file: file.read_bytes() for file in dest.parent.iterdir()}
    assert planned(run, script, dest, ticket="INC-2", check=True).result["waiting"]["digest"] == first["digest"]
    assert {file: file.read_bytes() for file in dest.parent.iterdir()} == before


@pytest.mark.parametrize(
    "kind", ["a symbolic link", "a dangling link", "hard links", "a fifo", "a directory open to all"]
)
def test_an_unsafe_dest_is_refused_before_any_request_and_left_alone(
    run: Runner, script: Script, dest: Path, kind: str
) -> None:
    target = dest.with_name("precious")
    target.write_text("as it was")
    if kind == "a fifo":
        os.mkfifo(dest)
    elif kind == "hard links":
        dest.hardlink_to(target)
    elif kind == "a directory open to all":
        dest.parent.chmod(0o777)
    else:
        dest.symlink_to(target if kind == "a symbolic link" else "nowhere")
    done = run("message_plan", since="1h", dest=str(dest))
    assert f"dest {dest} cannot be written (" in done.result["msg"]
    assert not script.sent
    assert target.read_text() == "as it was"
    assert not dest.with_name("nowhere").exists()


def test_a_plan_says_what_is_done_after_the_release(run: Runner, script: Script, dest: Path) -> None:
    without = planned(run, script, dest).result
    assert "follow_up" not in without["plan"]
    follow_up = {"reclassify_as": "none", "allow_for": "14d"}
    done = planned(run, script, dest, follow_up=follow_up).result
    assert done["plan"]["follow_up"] == {**follow_up, "allow_domains": False}
    assert (done["changed"], done["waiting"]["digest"]) == (True, without["digest"])
    assert done["msg"].startswith(
        "2 messages: 1 to release to 1 recipient, 1 blocked (forbidden_dispositions 1). After the release: Cloudflare is told"
    )


def test_check_mode_writes_no_plan(run: Runner, script: Script, dest: Path) -> None:
    done = planned(run, script, dest, check=True)
    assert done.result["changed"] is True
    assert not dest.exists()


def test_a_refused_plan_fails_with_the_rule_and_is_not_written(run: Runner, script: Script, dest: Path) -> None:
    script.get("investigate", page([row(number, **GOOD) for number in (1, 2)]))
    done = run("message_plan", since="1h", dest=str(dest), policy={"max_messages": 1})
    assert done.failed
    assert "refused (max_messages: 2 messages, but at most 1 are allowed)" in done.result["msg"]
    assert done.result["summary"]["release"] == 0
    assert not dest.exists()


@pytest.mark.parametrize(
    ("options", "fails"),
    [({}, True), ({"fail_on": []}, False), ({"fail_on": ["blocked"]}, False), ({"fail_on": ["not_found"]}, True)],
)
def test_an_unknown_handle_fails_the_plan_and_its_release_as_without_a_plan(
    run: Runner, script: Script, dest: Path, options: dict[str, t.Any], fails: bool
) -> None:
    known = Reply(envelope(row(1, **GOOD)))
    script.server = lambda sent: known if sent.path == path(1) else Reply(UNKNOWN, 404)
    done = run("message_plan", messages=[investigate_id(2), investigate_id(1)], dest=str(dest), **options)
    assert done.failed is fails
    assert (f"Needs attention: {investigate_id(2)} not_found." in done.result["msg"]) is fails
    assert json.loads(dest.read_text()) == done.result["plan"]
    script.server = None
    script.get(path(1), envelope(row(1, **GOOD)))
    script.release([investigate_id(1)], envelope([entry(1)]))
    applied = run("message_release", plan=str(dest), plan_digest=done.result["digest"])
    assert (applied.failed, applied.statuses) == (True, ["released", "not_found"])


def test_the_message_of_a_plan_stays_short(run: Runner, script: Script) -> None:
    script.server = lambda sent: Reply(page([])) if sent.path == "investigate" else Reply(UNKNOWN, 404)
    done = run("message_plan", messages=[investigate_id(number) for number in range(1, 31)])
    assert "and 20 more." in done.result["msg"]
    assert len(done.result["msg"]) < 1000


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"since": "1h", "policy": {"denied_senders": ["@evil.example"]}},
            "policy.denied_senders has the pattern '@evil.example', which can never match",
        ),
        (
            {"since": "1h", "policy": {"forbidden_dispositions": ["MALICOUS"]}},
            "policy.forbidden_dispositions has 'MALICOUS', which is no verdict",
        ),
        (
            {"since": "1h", "policy": {"forbidden_threat_categories": ["-"]}},
            "policy.forbidden_threat_categories has '-', which names no category",
        ),
        (
            {"since": "1h", "policy": {"require_authentication": "maybe"}},
            "policy.require_authentication must be one of aligned, any, none",
        ),
        (
            {"since": "1h", "policy": {"allowed_senders": ""}},
            "policy.allowed_senders has the pattern '', which can never match",
        ),
        ({"since": "1h", "policy": {"allowed_senders": None}}, "allowed_senders"),
        ({}, "at least one filter"),
        ({"delivery_status": "quarantined"}, "at least one filter"),
        ({"since": "soon"}, "since must be a number"),
        ({"since": "1h", "expires_in": "never"}, "expires_in must be a number"),
        ({"since": "1h", "policy": {"max_messages": 0}}, "policy.max_messages must be at least 1"),
        ({"since": "1h", "policy": {"overrides": ["typo"]}}, "has unknown rules: typo"),
        ({"since": "1h", "policy": {"max_mesages": 1}}, "max_mesages"),
        ({"since": "1h", "dest": "/nowhere/at/all"}, "dest /nowhere/at/all cannot be written"),
        ({"since": "1h", "expires_in": "91d"}, "expires_in must be at most 90d"),
        ({"since": "1h", "limit": 0}, "limit must be at least 1"),
        ({"messages": [1]}, "messages[0] is not a string"),
        ({"messages": ["4Xy"], "sender": "a"}, "mutually exclusive"),
    ],
)
def test_bad_input_is_refused_before_any_request(
    run: Runner, script: Script, options: dict[str, t.Any], words: str
) -> None:
    done = run("message_plan", **options)
    assert done.failed
    assert words in done.result["msg"]
    assert not script.sent


def test_exactly_what_the_plan_releases_is_released_and_twice_changes_nothing(
    run: Runner, script: Script, dest: Path
) -> None:
    plan = planned(run, script, dest).result
    script.get(path(1), envelope(row(1, **GOOD)))
    script.release([investigate_id(1)], envelope([entry(1)]))
    done = run("message_release", plan=str(dest), plan_digest=plan["digest"])
    assert done.statuses == ["released", "blocked"]
    assert done.result["messages"][1]["rule"] == "forbidden_dispositions"
    assert done.result["plan_digest"] == plan["digest"]
    script.get(path(1), envelope(released_row(1, **GOOD)))
    again = run("message_release", plan=str(dest), plan_digest=plan["digest"])
    assert (again.result["changed"], again.statuses) == (False, ["already_released", "blocked"])


PARTNER = {"allowed_senders": ["partner.example"]}
SPOOFED = {"from": "cfo@partner.example", "envelope_from": "x@partner.example"}


@pytest.mark.parametrize(
    ("fields", "rules"),
    [
        # With a signature of the attacker's own domain
        ({**SPOOFED, "validation": {"spf": "fail", "dkim": "pass", "dmarc": "fail"}}, ["require_authentication"]),
        (
            {**SPOOFED, "envelope_from": "x@evil.example", "validation": {"spf": "pass", "dkim": "pass"}},
            ["require_authentication", "allowed_senders"],
        ),
        ({**SPOOFED, "validation": {"spf": "pass", "dmarc": "fail"}}, ["require_authentication"]),
        (
            {**SPOOFED, "from": "x@evil.example, cfo@partner.example", "validation": {"dmarc": "pass"}},
            ["require_authentication", "allowed_senders"],
        ),
        (
            {**SPOOFED, "from": "cfo@partner.example <x@evil.example>", "validation": {"dmarc": "pass"}},
            ["require_authentication", "allowed_senders"],
        ),
        ({**SPOOFED, "validation": {"spf": "pass", "dmarc": "none"}}, []),
        ({**SPOOFED, "validation": {"dmarc": "pass"}}, []),
    ],
)
def test_who_is_allowed_must_be_who_it_is(
    run: Runner, script: Script, fields: dict[str, t.Any], rules: list[str]
) -> None:
    script.get("investigate", page([row(1, **fields)]))
    [planned_entry] = run("message_plan", since="1h", policy=PARTNER).result["plan"]["messages"]
    assert planned_entry["rules"] == rules


@pytest.mark.parametrize(
    ("given", "level", "passes"),
    [
        ("aligned", "aligned", 0),
        (True, "aligned", 0),
        ("yes", "aligned", 0),
        ("any", "any", 1),
        ("none", "none", 2),
        (False, "none", 2),
        ("No", "none", 2),
    ],
)
def test_the_level_of_authentication(run: Runner, script: Script, given: object, level: str, passes: int) -> None:
    signed, unsigned = {"dkim": "pass"}, {"dkim": "pass", "dmarc": "fail"}
    script.get("investigate", page([row(1, validation=signed), row(2, validation=unsigned)]))
    done = run("message_plan", since="1h", policy={"require_authentication": given})
    assert done.result["plan"]["policy"]["require_authentication"] == level
    assert done.result["summary"]["release"] == passes


def test_a_plan_of_an_earlier_release_is_applied(run: Runner, script: Script, dest: Path) -> None:
    planned(run, script, dest)
    old = json.loads(dest.read_text())
    old["policy"]["require_authentication"] = True
    dest.write_text(json.dumps(seal({name: value for name, value in old.items() if name != "digest"})))
    script.get(path(1), envelope(released_row(1, **GOOD)))
    assert run("message_release", plan=str(dest)).statuses == ["already_released", "blocked"]


@pytest.mark.parametrize(
    "change",
    [
        {"final_disposition": "MALICIOUS"},
        {"final_disposition": None},
        {"client_recipients": ["mallory@evil.example"]},
        {"from": "mallory@evil.example"},
        {"envelope_from": "mallory@evil.example"},
        {"validation": {"dmarc": "fail"}},
        {"validation": None},
    ],
)
def test_what_drifted_is_blocked(run: Runner, script: Script, dest: Path, change: dict[str, t.Any]) -> None:
    planned(run, script, dest)
    script.get(path(1), envelope(row(1, **{**GOOD, **change})))
    done = run("message_release", plan=str(dest))
    assert (done.statuses[0], done.result["messages"][0]["rule"]) == ("blocked", "drift")
    assert not done.failed


def test_a_plan_is_applied_with_its_state_read_whatever_is_asked_for(run: Runner, script: Script, dest: Path) -> None:
    planned(run, script, dest)
    script.get(path(1), envelope(released_row(1, **GOOD)))
    done = run("message_release", plan=str(dest), check_state=False)
    assert done.statuses[0] == "already_released"


@pytest.mark.parametrize(
    ("change", "options", "words"),
    [
        ({"ticket": "INC-2"}, {}, "changed after it was made"),
        ({}, {"plan_digest": "sha256:" + "0" * 64}, "not the approved one"),
        *(({}, {"plan_digest": text}, "plan_digest must be sha256: and 64") for text in NO_DIGESTS),
        ({}, {"null": ["plan_digest"]}, "plan_digest is null"),
        ({}, {"null": ["only"]}, "only is null"),
        ({}, {"account_id": "0" * 32}, "not for 0"),
    ],
)
def test_a_plan_that_may_not_be_applied_takes_no_request(
    run: Runner, script: Script, dest: Path, change: dict[str, t.Any], options: dict[str, t.Any], words: str
) -> None:
    planned(run, script, dest)
    requests = len(script.sent)
    dest.write_text(json.dumps({**json.loads(dest.read_text()), **change}))
    done = run("message_release", plan=str(dest), **options)
    assert done.failed
    assert words in done.result["msg"]
    assert len(script.sent) == requests


def test_no_digest_without_a_plan(run: Runner, script: Script) -> None:
    done = run("message_release", messages=[investigate_id(1)], null=["plan_digest"])
    assert "plan_digest is null" in done.result["msg"]
    assert not script.sent


@pytest.mark.parametrize("form", ["{}", "sha256:{}", " SHA256:{}\n"])
def test_a_digest_may_be_pasted(run: Runner, script: Script, dest: Path, form: str) -> None:
    pin = planned(run, script, dest).result["digest"].partition(":")[2]
    script.get(path(1), envelope(row(1, **GOOD)))
    assert not run("message_release", plan=str(dest), plan_digest=form.format(pin), check=True).failed


def test_the_plan_that_was_applied_is_returned_whole(run: Runner, script: Script, dest: Path) -> None:
    plan = planned(run, script, dest).result["plan"]
    script.get(path(1), envelope(released_row(1, **GOOD)))
    assert run("message_release", plan=str(dest)).result["plan"] == plan
    script.get(path(1), envelope(released_row(1, **GOOD)))
    step = run("message_release", plan=str(dest), only=[investigate_id(1)])
    assert "plan" not in step.result
    assert step.result["plan_digest"] == plan["digest"]


def test_what_is_not_given_is_as_the_plan_has_it(run: Runner, script: Script, dest: Path, tmp_path: Path) -> None:
    plan = planned(run, script, dest, ticket="INC-1", reason="Wanted", requested_by="bob").result["plan"]
    script.get(path(1), envelope(row(1, **GOOD)))
    script.release([investigate_id(1)], envelope([entry(1)]))
    journal = tmp_path / "journal.jsonl"
    done = run(
        "message_release",
        plan=str(dest),
        journal=str(journal),
        started_by="alice",
        approved_by="carol",
        ticket="INC-2",
        reason="",
    )
    trail = {
        "ticket": "INC-2",
        "reason": "Wanted",
        "requested_by": "bob",
        "started_by": "alice",
        "approved_by": "carol",
        "plan_digest": plan["digest"],
    }
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    assert [line["event"] for line in lines] == ["intent", "outcome"]
    for told in (*lines, done.result):
        assert {name: told[name] for name in trail} == trail


def test_an_expired_plan_is_refused(run: Runner, script: Script, dest: Path, clock: FakeClock) -> None:
    planned(run, script, dest, expires_in="1h")
    clock.sleep(3600)
    done = run("message_release", plan=str(dest))
    assert "expired at" in done.result["msg"]


@pytest.mark.parametrize("beside", ["nothing", "forged", "genuine"])
def test_a_forged_plan_with_a_digest_of_its_own_is_stopped_by_the_pin(
    run: Runner, script: Script, dest: Path, beside: str
) -> None:
    approved = planned(run, script, dest).result
    forged = json.loads(dest.read_text())
    forged["messages"][1].update(decision="release", rules=[])
    dest.write_text(json.dumps(seal({name: value for name, value in forged.items() if name != "digest"})))
    if beside == "genuine":
        script.get(path(1), envelope(row(1, **GOOD)))
    elif beside == "forged":
        Path(approved["plan_file"]).write_text(dest.read_text())
    else:
        Path(approved["plan_file"]).unlink()
    done = run("message_release", plan=str(dest), plan_digest=approved["digest"], check=True)
    if beside == "genuine":
        assert (done.result["plan_digest"], done.statuses) == (approved["digest"], ["would_release", "blocked"])
    else:
        assert done.failed
        assert "not the approved one" in done.result["msg"]
