# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A storm: everything that happens in one trial, drawn from a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from troubles import OF_READS, TIMEOUT, TROUBLES, Order, delay, striking, weather

SETTLE_TIME = 3  # seconds, the least that the module takes
LONGEST_LAG = 2.5  # below it
LAG_WHEN_LATE = 1.2  # with what a late server needs on top, below it as well
SIGNALS = ("SIGTERM", "SIGINT", "SIGKILL")
RESTART = "restart"
# What each trial is about, in turn, so that any row of seeds has seen it all.
WEATHER = weather.__name__
FOCI = (*(trouble.__name__ for trouble in TROUBLES), *SIGNALS, RESTART, "SIGKILL", WEATHER, WEATHER)


@dataclass(frozen=True)
class Storm:
    """One trial.

    settings: of the emulator. recipients: of each message. outcomes: scripted for some messages, by their number.
    handles: (kind, number of the message), None for a message that is not there. faults: each with the name of its
    trouble. disturbance: a signal or a restart of the server, and the seconds at which it comes: after the first release
    call, or (early) after the start. credential: its name; as_option: given as an option, not in the environment.
    """

    seed: int
    settings: dict[str, Any]
    recipients: list[list[str]]
    outcomes: dict[int, list[Any]]
    handles: list[tuple[str, int | None]]
    faults: list[tuple[str, Order]]
    options: dict[str, Any]
    journal: bool
    disturbance: str | None = None
    moment: float = 0.0
    early: bool = False
    credential: str = "write"
    as_option: bool = False

    @property
    def must_yield(self) -> bool:
        """Whether the run has to release nearly everything all the same."""
        return self.focus == WEATHER

    @property
    def focus(self) -> str:
        """What the trial is about."""
        return FOCI[self.seed % len(FOCI)]


def draw(seed: int) -> Storm:
    """Return the storm of a seed."""
    rnd = random.Random(seed)
    focus = FOCI[seed % len(FOCI)]
    disturbance = focus if focus in (*SIGNALS, RESTART) else None
    signalled = disturbance in SIGNALS
    # What a killed run did must not show yet when the next one starts: only the journal can tell it.
    lag = (
        LONGEST_LAG if signalled else rnd.choice([0, 0, 0.5, LAG_WHEN_LATE if focus == delay.__name__ else LONGEST_LAG])
    )
    recipients = [
        [f"user{number}.{copy}@corp.example" for copy in range(rnd.choice([1, 1, 2, 3]))]
        for number in range(_size(rnd, focus))
    ]
    named = [trouble for trouble in TROUBLES if trouble.__name__ == focus]
    others = rnd.choices([trouble for trouble in TROUBLES if trouble is not delay], k=rnd.randint(0, 3))
    faults = (
        [(WEATHER, order) for order in weather(rnd)]
        if focus == WEATHER
        else [
            # What the trial is about comes first, so that no other one takes its place.
            *((trouble.__name__, striking(trouble, rnd)) for trouble in named),
            *((trouble.__name__, trouble(rnd)) for trouble in others),
        ]
    )
    options = _options(rnd, len(recipients)) | ({"check_state": True} if named and named[0] in OF_READS else {})
    if focus == WEATHER:
        options |= {"retries": 5, "max_wait": 60}
    return Storm(
        seed=seed,
        settings={
            **_server(rnd, repeats=signalled),
            "state_lag": lag,
            "latency": 0.1 if disturbance else rnd.choice([0, 0.02]),
        },
        recipients=recipients,
        outcomes={} if focus == WEATHER else _outcomes(rnd, recipients),
        handles=_handles(rnd, len(recipients)),
        faults=faults,
        options=options,
        journal=bool(lag or rnd.random() < 0.7),
        disturbance=disturbance,
        moment=_moment(rnd, disturbance),
        early=rnd.random() < 0.25,
        credential=rnd.choice(["write", "write", "key"]),
        as_option=rnd.random() < 0.3,
    )


def _moment(rnd: random.Random, disturbance: str | None) -> float:
    # A restart tells something as long as requests are under way; a signal, at any time.
    return rnd.choice([0, rnd.uniform(0, 0.2), rnd.uniform(0, 0.2 if disturbance == RESTART else 2)])


def _size(rnd: random.Random, focus: str) -> int:
    if focus == "repeated_cursor":
        return 1010  # more than a page
    # What is to be disturbed has to last.
    return rnd.choice([8, 40, 150] if focus in (*SIGNALS, RESTART, WEATHER) else [1, 2, 3, 8, 40, 150])


def _server(rnd: random.Random, *, repeats: bool) -> dict[str, Any]:
    """How a server behaves where nothing is published. repeats: it delivers again what is sent again."""
    refusals = ["refuse_400", "refuse_404", "omitted", "empty", "null", "failed"]
    unknown_id = rnd.choice(refusals)
    # A server that passes over every id of a kind looks like one that cannot deliver; only a refusal makes us try another.
    array_ids = ["both", "investigate", "postfix"] if unknown_id.startswith("refuse") else ["both"]
    return {
        "unknown_id": unknown_id,
        "not_quarantined": "deliver" if repeats else rnd.choice([*["deliver"] * len(refusals), *refusals]),
        "refusal": rnd.choice(["before", "midway"]),
        "release_forms": rnd.choice([["object"], ["array"], ["object", "array"]]),
        "array_ids": rnd.choice(array_ids),
        "answer_ids": rnd.choice(["investigate", "postfix", "both"]),
        "form_error": rnd.choice(["placeholder", "unmarshal", "schema", "silent"]),
        "leaves_quarantine": rnd.choice(["any_delivered", "all_delivered", "always"]),
        "get_by_postfix_id": rnd.random() < 0.5,
        "legacy_fields": rnd.random() < 0.5,
        "post_delivery_operations": rnd.random() < 0.8,
        "result_shape": rnd.choice(["array", "array", "object"]),
    }


def _outcomes(rnd: random.Random, recipients: list[list[str]]) -> dict[int, list[Any]]:
    """Scripted outcomes for one message in ten, but not for many."""
    outcomes: dict[int, list[Any]] = {}
    for number, addresses in enumerate(recipients):
        if rnd.random() < min(0.1, 8 / len(recipients)):
            some = addresses[: rnd.randint(1, len(addresses))]
            silence = rnd.choice(["omitted", "empty", "null"])
            outcomes[number] = rnd.choice(
                [
                    [silence, "deliver"],
                    [{"answer": silence}],
                    ["failed"],
                    ["undelivered", "deliver"],
                    [{"failed": some}],
                    [{"undelivered": some}, "deliver"],
                    ["refuse_400", "deliver"],
                ]
            )
    return outcomes


def _handles(rnd: random.Random, count: int) -> list[tuple[str, int | None]]:
    """How the messages are named: in one way or in several, some twice, some that are not there."""
    kinds = ("id", "postfix_id", "message_id")
    only = rnd.choice(["id", "id", "postfix_id", "message_id", None]) if count <= 150 else "id"
    named: list[tuple[str, int | None]] = [(only or rnd.choice(kinds), number) for number in range(count)]
    named += [("id", rnd.randrange(count)) for _ in range(rnd.choice([0, 0, 2]))]
    named += [("id", None) for _ in range(rnd.choice([0, 0, 1, 3]))]
    rnd.shuffle(named)
    return named


def _options(rnd: random.Random, count: int) -> dict[str, Any]:
    return {
        "batch_size": rnd.choice([1, 5, 50]) if count <= 40 else rnd.choice([20, 50, 200]),
        "concurrency": rnd.choice([1, 4]),
        "retries": rnd.choice([2, 3]),
        "request_format": "auto",
        "check_state": rnd.random() < 0.85,
        "settle_time": SETTLE_TIME,
        "timeout": TIMEOUT,
        "max_wait": rnd.choice([2, 60, 60]),
    }
