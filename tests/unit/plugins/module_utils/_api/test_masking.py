# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets in text: every spelling is masked, and nothing else is."""

from __future__ import annotations

import json
import string
import time

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._api.envelope import Reply, read_envelope
from ansible_collections.emailsec.cloudflare.plugins.module_utils._api.masking import MASK, Masker
from ansible_collections.emailsec.cloudflare.plugins.module_utils._errors import CloudflareError
from ansible_collections.emailsec.cloudflare.plugins.module_utils._release.journal import Journal
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import KEY, TOKEN, envelope, refusal
from ansible_collections.emailsec.cloudflare.tests.unit.support.spellings import SPELLINGS, shows
from hypothesis import given
from hypothesis import strategies as st

TOKENS = st.text(string.ascii_letters + string.digits + "_-", min_size=37, max_size=60)


@pytest.mark.parametrize("spelling", SPELLINGS)
@given(secret=TOKENS, around=st.tuples(st.text(max_size=9), st.text(max_size=9)))
def test_every_spelling_of_a_token_is_masked(spelling: str, secret: str, around: tuple[str, str]) -> None:
    spelled = SPELLINGS[spelling](secret)
    masked = Masker([secret]).mask(spelled.join(around))
    assert MASK in masked
    assert shows(masked, secret, spelled) == []
    assert Masker([secret]).mask(masked) == masked


@given(secret=TOKENS, mixed=st.data())
def test_spellings_may_be_mixed_within_a_secret(secret: str, mixed: st.DataObject) -> None:
    forms = ["\\u{:04x}", "%{:02X}", "&#{:d};", "&#x{:x};", "\\x{:02X}"]
    spelled = "".join(mixed.draw(st.sampled_from(forms)).format(ord(character)) for character in secret)
    assert Masker([secret]).mask(f"<{spelled}>") == f"<{MASK}>"


@given(text=st.text(max_size=36), secret=TOKENS)
def test_other_text_stays_as_it_is(text: str, secret: str) -> None:
    assert Masker([secret]).mask(text) == text


def test_what_holds_no_secret_stays_as_it_is() -> None:
    value = {"100% & more \\ =41": ["a\x00b", 7, None, {"&amp;": "%41"}]}
    assert Masker([TOKEN]).mask(value) == value
    assert Masker([]).mask(TOKEN) == TOKEN
    assert Masker(["short"]).mask("short") == "short"


def test_keys_and_values_are_masked_all_the_way_down() -> None:
    masked: object = Masker([TOKEN, KEY]).mask({f"k {TOKEN}": [{KEY: (f"{KEY} and {TOKEN}",)}]})
    assert masked == {f"k {MASK}": [{MASK: [f"{MASK} and {MASK}"]}]}


@pytest.mark.parametrize("charset", ["utf-8", "utf-16", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_an_answer_is_masked_after_its_charset_is_known(charset: str, spelling: str) -> None:
    secret = SPELLINGS[spelling](TOKEN)
    masker = Masker([TOKEN])
    good = Reply(200, {}, json.dumps(envelope({secret: [secret]})).encode(charset))
    assert shows(json.dumps(read_envelope(good, masker)), TOKEN, secret) == []
    escaped = "".join(f"\\u{ord(character):04x}" for character in TOKEN)
    body = json.dumps(refusal(1, "HERE")).replace("HERE", escaped).encode(charset)
    with pytest.raises(CloudflareError) as caught:
        read_envelope(Reply(400, {}, body), masker)
    assert shows(f"{caught.value} {caught.value.details()}", TOKEN) == []
    assert MASK in str(caught.value)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_journal_is_masked(tmp_path: object, spelling: str) -> None:
    secret, path = SPELLINGS[spelling](TOKEN), f"{tmp_path}/journal"
    journal = Journal(path, {"ticket": secret}, mask=Masker([TOKEN]).mask)
    journal.write("intent", ids=[secret], detail=f"x {secret}")
    journal.close()
    with open(path, encoding="utf-8") as file:
        text = file.read()
    assert shows(text, TOKEN, secret) == []
    assert json.loads(text)["event"] == "intent"


@pytest.mark.parametrize("text", ["\\", "%25", "%", "&amp;", "=", "&", "\\u0", "c\x00", "\\0"])
def test_no_text_takes_long(text: str) -> None:
    begun = time.process_time()
    Masker([TOKEN]).mask(text * 50_000)
    assert time.process_time() - begun < 5
