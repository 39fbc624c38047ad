# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What AWX checks of a survey."""

from __future__ import annotations

from typing import Any

from .errors import Refused

TYPES: dict[str, type] = {
    "text": str,
    "textarea": str,
    "password": str,
    "multiplechoice": str,
    "multiselect": str,
    "integer": int,
    "float": float,
}


def check(survey: Any) -> None:
    """Refuse a survey that AWX refuses."""
    for name, expected in (("name", str), ("description", str), ("spec", list)):
        if not isinstance(survey, dict) or not isinstance(survey.get(name), expected):
            raise _wrong(f"Field '{name}' is missing from survey spec, or of another type.")
    if not survey["spec"]:
        raise _wrong("'spec' doesn't contain any items.")
    variables = [question.get("variable") for question in survey["spec"]]
    if len(set(variables)) != len(variables):
        raise _wrong("'variable' duplicated in survey")
    for number, question in enumerate(survey["spec"]):
        _check_question(number, question)


def answers(spec: list[dict[str, Any]], given: dict[str, Any]) -> dict[str, Any]:
    """The answers that AWX takes: to what the survey asks, each of its type and length, and the default where there is none."""
    problems = [problem for question in spec if (problem := _problem(question, given.get(question["variable"])))]
    if problems:
        raise Refused(400, {"variables_needed_to_start": problems})
    defaults = {
        question["variable"]: question["default"] for question in spec if question.get("default") not in ("", None)
    }
    return defaults | {
        question["variable"]: given[question["variable"]] for question in spec if question["variable"] in given
    }


def _problem(question: dict[str, Any], value: Any) -> str:
    """What is wrong with an answer (awx/main/models/mixins.py, _survey_element_validation). An empty text is an answer."""
    name, kind = question["variable"], question["type"]
    if value is None:
        return f"'{name}' value missing" if question["required"] and question.get("default") in ("", None) else ""
    if not isinstance(value, TYPES[kind]) or isinstance(value, bool):
        return f"Value {value} for '{name}' expected to be a {'string' if TYPES[kind] is str else kind}."
    if kind == "multiplechoice":
        return (
            ""
            if value in question["choices"]
            else f"Value {value} for '{name}' expected to be one of {question['choices']}."
        )
    size: Any = len(value) if isinstance(value, str) else value
    fits = (question.get("min") or 0) <= size <= (question.get("max") or size)
    return "" if fits else f"'{name}' value {value} is too small or too large"


def _check_question(number: int, question: dict[str, Any]) -> None:
    for name in ("type", "question_name", "variable", "required"):
        if not isinstance(question.get(name), bool if name == "required" else str):
            raise _wrong(f"'{name}' missing from survey question {number}, or of another type")
    kind = question["type"]
    if kind not in TYPES:
        raise _wrong(f"'{kind}' in survey question {number} is not one of the allowed question types.")
    default = question.get("default", "")
    if default != "" and not isinstance(default, TYPES[kind]):
        raise _wrong(f"Default value {default} in survey question {number} expected to be {kind}.")
    for limit in ("min", "max"):
        if not isinstance(question.get(limit), int | None):
            raise _wrong(f"The {limit} limit in survey question {number} expected to be integer.")
    if kind in ("multiplechoice", "multiselect"):
        if not question.get("choices"):
            raise _wrong(f"Survey question {number} of type {kind} must specify choices.")
        if any(each not in question["choices"] for each in default.splitlines()):
            raise _wrong("Default choice must be answered from the choices listed.")


def _wrong(problem: str) -> Refused:
    return Refused(400, {"error": problem})
