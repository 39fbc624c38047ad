# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The endpoints of what runs: launch, look, cancel, run again, approve and deny, each for those who may."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from aiohttp import web

from . import surveys
from .errors import Refused, not_found
from .finding import page
from .handlers import STORE, user
from .people import forbidden, may
from .store import Item, Store

if TYPE_CHECKING:
    from .engine import Engine

# Where the template of each kind of record is, which decides on who may see it
_TEMPLATES = {
    "jobs": "job_templates",
    "workflow_jobs": "workflow_job_templates",
    "workflow_approvals": "workflow_job_templates",
}


async def launch(request: web.Request) -> web.Response:
    """POST launch of a job template or a workflow. Of the variables, AWX takes those that the survey asks for."""
    store, endpoint = request.app[STORE], request.match_info["endpoint"]
    template = store.item(endpoint, int(request.match_info["id"]))
    if not may(store, user(request), "execute", endpoint, template["id"]):
        raise forbidden()
    given = json.loads(await request.text() or "{}").get("extra_vars", {})
    answers = surveys.answers(store.surveys.get((endpoint, template["id"]), {"spec": []})["spec"], given)
    engine = _engine(store)
    start = engine.start_job if endpoint == "job_templates" else engine.start_workflow
    # It takes a moment to start a job, and the server has other things to do.
    record = await asyncio.get_running_loop().run_in_executor(None, start, template, user(request), answers)
    return web.json_response({"id": record["id"], record["type"]: record["id"]}, status=201)


async def look(request: web.Request) -> web.Response:
    """GET a job, a workflow job or an approval."""
    return web.json_response(_view(_record(request)))


async def stdout(request: web.Request) -> web.Response:
    """GET the output of a job."""
    return web.Response(text=_record(request)["stdout"])


async def nodes(request: web.Request) -> web.Response:
    """GET the nodes of a workflow job: those that have run or wait."""
    record = _record(request)
    items = [
        {
            "identifier": name,
            "job": each["id"],
            "summary_fields": {"job": {name: each[name] for name in ("id", "type", "status")}},
        }
        for name, each in list(record["nodes"].items())
    ]
    return web.json_response(page(items, request.path, request.query))


async def cancel(request: web.Request) -> web.Response:
    """POST cancel: whoever started a job may."""
    store, record = request.app[STORE], _record(request)
    if record["created_by"] != user(request)["id"] and not may(
        store, user(request), "admin", "job_templates", record["template"]
    ):
        raise forbidden()
    _engine(store).cancel(record["id"])
    return web.Response(status=202)


async def relaunch(request: web.Request) -> web.Response:
    """POST relaunch."""
    store, record = request.app[STORE], _record(request)
    if not may(store, user(request), "execute", "job_templates", record["template"]):
        raise forbidden()
    again = await asyncio.get_running_loop().run_in_executor(None, _engine(store).relaunch, record["id"], user(request))
    return web.json_response({"id": again["id"]}, status=201)


async def answer(request: web.Request) -> web.Response:
    """POST approve or deny."""
    store, record = request.app[STORE], _record(request)
    if not may(store, user(request), "approval", "workflow_job_templates", record["template"]):
        raise forbidden()
    if record["status"] != "pending":
        raise Refused(400, {"error": "This workflow step has already been approved or denied."})
    _engine(store).answer(record["id"], request.match_info["answer"] == "approve")
    return web.Response(status=204)


def _engine(store: Store) -> Engine:
    if store.engine is None:
        raise not_found()
    return store.engine


def _record(request: web.Request) -> Item:
    """What is asked for, if whoever asks may see its template."""
    store: Store = request.app[STORE]
    endpoint = request.match_info["records"]
    record = _engine(store).records[endpoint].get(int(request.match_info["id"]))
    if record is None:
        raise not_found()
    if not may(store, user(request), "read", _TEMPLATES[endpoint], record["template"]):
        raise forbidden()
    return record


def _view(record: Item) -> Item:
    return {name: value for name, value in record.items() if name not in ("given", "nodes", "stdout", "template")}
