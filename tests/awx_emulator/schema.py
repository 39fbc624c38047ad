# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kinds of things that AWX keeps, and their fields, as its serializers have them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

Kind = Literal["text", "flag", "number", "object", "list", "vars", "reference"]


class Field(NamedTuple):
    """One field. to: the endpoint that a reference leads to; computed: what a client sends is ignored."""

    kind: Kind
    default: Any = None
    required: bool = False
    to: str = ""
    choices: tuple[str, ...] = ()
    computed: bool = False


class Resource(NamedTuple):
    """One endpoint. unique: what no two may have in common; lists: related lists, and the endpoint of what is in them."""

    type: str
    fields: dict[str, Field]
    unique: tuple[str, ...] = ("name",)
    lists: Mapping[str, str] = MappingProxyType({})
    roles: tuple[str, ...] = ()
    # What goes with one of the things that this refers to
    owners: tuple[str, ...] = ()


def text(default: str | None = "", **more: Any) -> Field:
    """A field of text."""
    return Field("text", default, **more)


def flag(default: bool = False) -> Field:
    """A field that is true or false."""
    return Field("flag", default)


def number(default: int = 0) -> Field:
    """A field with a whole number."""
    return Field("number", default)


def reference(to: str, **more: Any) -> Field:
    """A field with the id of something else."""
    return Field("reference", None, to=to, **more)


NAME = text(required=True)
NAMED = {"name": NAME, "description": text()}
ORGANIZATION = reference("organizations")
NOTIFICATIONS = {f"notification_templates_{when}": "notification_templates" for when in ("started", "success", "error")}
APPROVALS = {"notification_templates_approvals": "notification_templates"}
_ASK = (
    "credential diff_mode execution_environment forks instance_groups inventory job_slice_count job_type labels limit"
    " scm_branch skip_tags tags timeout variables verbosity"
)
_ASK_WORKFLOW = "inventory labels limit scm_branch skip_tags tags variables"


def _asks(names: str) -> dict[str, Field]:
    return {f"ask_{name}_on_launch": flag() for name in names.split()}


RESOURCES: dict[str, Resource] = {
    "organizations": Resource(
        "organization",
        NAMED | {"max_hosts": number(), "default_environment": reference("execution_environments")},
        lists=NOTIFICATIONS | APPROVALS | {"instance_groups": "instance_groups", "galaxy_credentials": "credentials"},
        roles=("admin", "execute", "member", "read", "approval"),
    ),
    "users": Resource("user", {"username": NAME, "password": text()}, unique=("username",)),
    "teams": Resource(
        "team",
        NAMED | {"organization": reference("organizations", required=True)},
        unique=("organization", "name"),
        roles=("admin", "member", "read"),
        owners=("organization",),
    ),
    "labels": Resource("label", {"name": NAME, "organization": ORGANIZATION}, owners=("organization",)),
    "instances": Resource("instance", {"hostname": NAME}, unique=("hostname",)),
    "instance_groups": Resource(
        "instance_group",
        {
            "name": NAME,
            "credential": reference("credentials"),
            "is_container_group": flag(),
            "max_concurrent_jobs": number(),
            "max_forks": number(),
            "pod_spec_override": text(),
            "policy_instance_list": Field("list", []),
            "policy_instance_minimum": number(),
            "policy_instance_percentage": number(),
        },
        lists={"instances": "instances"},
        roles=("admin", "use", "read"),
    ),
    "credential_types": Resource(
        "credential_type",
        NAMED
        | {
            "kind": text(required=True, choices=("cloud", "net")),
            "namespace": text(None, computed=True),
            "managed": Field("flag", False, computed=True),
            "inputs": Field("object", {}),
            "injectors": Field("object", {}),
        },
        unique=("name", "kind"),
    ),
    "credentials": Resource(
        "credential",
        NAMED
        | {
            "organization": ORGANIZATION,
            "credential_type": reference("credential_types", required=True),
            "inputs": Field("object", {}),
            "managed": Field("flag", False, computed=True),
        },
        unique=("organization", "name", "credential_type"),
        roles=("admin", "use", "read"),
        owners=("organization",),
    ),
    "execution_environments": Resource(
        "execution_environment",
        NAMED
        | {
            "organization": ORGANIZATION,
            "image": text(required=True),
            "managed": Field("flag", False, computed=True),
            "credential": reference("credentials"),
            "pull": text(choices=("", "always", "missing", "never")),
        },
        owners=("organization",),
    ),
    "projects": Resource(
        "project",
        NAMED
        | {
            "organization": ORGANIZATION,
            "local_path": text(),
            "scm_type": text(choices=("", "git", "svn", "insights", "archive")),
            "scm_url": text(),
            "scm_branch": text(),
            "scm_refspec": text(),
            "scm_clean": flag(),
            "scm_track_submodules": flag(),
            "scm_delete_on_update": flag(),
            "scm_update_on_launch": flag(),
            "scm_update_cache_timeout": number(),
            "scm_revision": text(computed=True),
            "allow_override": flag(),
            "timeout": number(),
            "credential": reference("credentials"),
            "default_environment": reference("execution_environments"),
            "signature_validation_credential": reference("credentials"),
            "status": text("never updated", computed=True),
        },
        unique=("organization", "name"),
        lists=NOTIFICATIONS,
        roles=("admin", "use", "update", "read"),
        owners=("organization",),
    ),
    "inventories": Resource(
        "inventory",
        NAMED
        | {
            "organization": reference("organizations", required=True),
            "kind": text(choices=("", "smart", "constructed")),
            "host_filter": text(None),
            "variables": Field("vars", ""),
            "prevent_instance_group_fallback": flag(),
        },
        unique=("organization", "name"),
        lists={"instance_groups": "instance_groups"},
        roles=("admin", "update", "adhoc", "use", "read"),
        owners=("organization",),
    ),
    "hosts": Resource(
        "host",
        NAMED
        | {
            "inventory": reference("inventories", required=True),
            "enabled": flag(True),
            "variables": Field("vars", ""),
        },
        unique=("inventory", "name"),
        owners=("inventory",),
    ),
    "groups": Resource(
        "group",
        NAMED | {"inventory": reference("inventories", required=True), "variables": Field("vars", "")},
        unique=("inventory", "name"),
        lists={"hosts": "hosts", "children": "groups"},
        owners=("inventory",),
    ),
    "notification_templates": Resource(
        "notification_template",
        NAMED
        | {
            "organization": reference("organizations", required=True),
            "notification_type": text(required=True, choices=("email", "slack", "webhook", "mattermost")),
            "notification_configuration": Field("object", {}),
            "messages": Field("object", None),
        },
        unique=("organization", "name"),
        owners=("organization",),
    ),
    "job_templates": Resource(
        "job_template",
        NAMED
        | {
            "job_type": text("run", choices=("run", "check")),
            "inventory": reference("inventories"),
            "project": reference("projects"),
            "organization": reference("organizations", computed=True),
            "playbook": text(),
            "scm_branch": text(),
            "forks": number(),
            "limit": text(),
            "verbosity": number(),
            "extra_vars": Field("vars", ""),
            "job_tags": text(),
            "skip_tags": text(),
            "start_at_task": text(),
            "force_handlers": flag(),
            "timeout": number(),
            "use_fact_cache": flag(),
            "host_config_key": text(),
            "survey_enabled": flag(),
            "become_enabled": flag(),
            "diff_mode": flag(),
            "allow_simultaneous": flag(),
            "job_slice_count": number(1),
            "webhook_service": text(),
            "webhook_credential": reference("credentials"),
            "execution_environment": reference("execution_environments"),
            "prevent_instance_group_fallback": flag(),
        }
        | _asks(_ASK),
        unique=("organization", "name"),
        lists=NOTIFICATIONS | {"credentials": "credentials", "instance_groups": "instance_groups", "labels": "labels"},
        roles=("admin", "execute", "read"),
    ),
    "workflow_job_templates": Resource(
        "workflow_job_template",
        NAMED
        | {
            "organization": ORGANIZATION,
            "extra_vars": Field("vars", ""),
            "survey_enabled": flag(),
            "allow_simultaneous": flag(),
            "inventory": reference("inventories"),
            "limit": text(None),
            "scm_branch": text(None),
            "job_tags": text(None),
            "skip_tags": text(None),
            "webhook_service": text(),
            "webhook_credential": reference("credentials"),
        }
        | _asks(_ASK_WORKFLOW),
        unique=("organization", "name"),
        lists=NOTIFICATIONS | APPROVALS | {"labels": "labels"},
        roles=("admin", "execute", "read", "approval"),
        owners=("organization",),
    ),
    "workflow_job_template_nodes": Resource(
        "workflow_job_template_node",
        {
            "workflow_job_template": reference("workflow_job_templates", required=True),
            "identifier": text(required=True),
            "unified_job_template": reference("unified_job_templates"),
            "all_parents_must_converge": flag(),
            "extra_data": Field("object", {}),
            "inventory": reference("inventories"),
            "execution_environment": reference("execution_environments"),
            "scm_branch": text(None),
            "job_type": text(None),
            "job_tags": text(None),
            "skip_tags": text(None),
            "limit": text(None),
            "diff_mode": Field("flag", None),
            "verbosity": Field("number", None),
            "forks": Field("number", None),
            "job_slice_count": Field("number", None),
            "timeout": Field("number", None),
        },
        unique=("workflow_job_template", "identifier"),
        lists={
            "success_nodes": "workflow_job_template_nodes",
            "failure_nodes": "workflow_job_template_nodes",
            "always_nodes": "workflow_job_template_nodes",
            "credentials": "credentials",
            "instance_groups": "instance_groups",
            "labels": "labels",
        },
        owners=("workflow_job_template",),
    ),
    "schedules": Resource(
        "schedule",
        NAMED
        | {
            "unified_job_template": reference("unified_job_templates", required=True),
            "rrule": text(required=True),
            "enabled": flag(True),
        },
        unique=("unified_job_template", "name"),
        owners=("unified_job_template",),
    ),
    "workflow_approval_templates": Resource(
        "workflow_approval_template", {"name": NAME, "description": text(), "timeout": number()}, unique=()
    ),
}
# What a node of a workflow can run, and a client finds at /unified_job_templates/
UNIFIED = ("job_templates", "workflow_job_templates", "projects", "workflow_approval_templates")
# What a survey can be attached to
SURVEYED = ("job_templates", "workflow_job_templates")
LINKS = ("success_nodes", "failure_nodes", "always_nodes")
