# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""The errors of this collection, by what they mean for a run.

Each message is one or two sentences for people and contains no secret.
"""

from __future__ import annotations

import traceback
import typing as t


class CloudflareError(Exception):
    """The base of all errors that this collection raises on purpose."""

    def sentence(self) -> str:
        """Return the message as a whole sentence."""
        text = str(self).rstrip(".")
        return f"{text[:1].upper()}{text[1:]}."

    def details(self) -> dict[str, t.Any]:
        """Return the facts for the result of the failed task."""
        return {}


class InternalError(CloudflareError):
    """A bug in this collection, with its traceback. The outcome of open requests is unknown."""

    def __init__(self, error: Exception) -> None:
        super().__init__(f"A bug in this collection ended the run ({type(error).__name__}: {error}); please report it")
        self.traceback = "".join(traceback.format_exception(type(error), error, error.__traceback__))

    def details(self) -> dict[str, t.Any]:
        return {"exception": self.traceback}


class InputError(CloudflareError):
    """An option, a handle or a file of the user cannot be used. Nothing was sent."""


class JournalError(CloudflareError):
    """The journal cannot be written, so nothing more is sent."""


class ResultFileError(CloudflareError):
    """The rows of the result cannot be written to a file. What was done stays done."""


class ConnectError(CloudflareError):
    """There was no connection to the server. Nothing was sent."""


class CertificateError(ConnectError):
    """The TLS certificate of the server was not accepted. Nothing was sent, and another try would not help."""


class InterruptError(CloudflareError):
    """A signal (SIGTERM or SIGINT) stopped the run while it waited."""


class DoubtfulError(CloudflareError):
    """There was no answer, or an unclear one. The request may have been carried out."""


class SilentError(DoubtfulError):
    """A request was sent, and no complete answer came."""


class GarbledError(DoubtfulError):
    """The answers to a read are not about what was asked for, however often it is asked."""


class ApiError(CloudflareError):
    """The API refused a request.

    status: the HTTP status.
    errors: the errors in the answer, each with code and message.
    cf_ray: Cloudflare's id of the request, for a support ticket.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        errors: t.Sequence[dict[str, t.Any]] = (),
        cf_ray: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.errors = list(errors)
        self.cf_ray = cf_ray

    @property
    def codes(self) -> set[int]:
        """Return the error codes of the API, with those of nested causes."""
        chained = [cause for error in self.errors for cause in error.get("error_chain", [])]
        return {entry["code"] for entry in [*self.errors, *chained]}

    @property
    def no_route(self) -> bool:
        """Tell whether the API knows no such path: the path or the account is wrong, or perhaps the object is unknown."""
        return not self.codes.isdisjoint({7000, 7003})

    def details(self) -> dict[str, t.Any]:
        return {"status": self.status, "errors": self.errors, "cf_ray": self.cf_ray}


class AuthenticationError(ApiError):
    """The credential was refused, or may not do this."""


class NotFoundError(ApiError):
    """The API does not know the object, or the path."""


class ForeignAnswerError(ApiError):
    """The answer is not from Cloudflare's API: from a proxy or a login page, a redirect, or api_url is wrong."""


class RateLimitError(ApiError):
    """Cloudflare asks to wait longer than max_wait allows. The request was not processed."""


class TooLargeError(CloudflareError):
    """The answer to a read is larger than wanted. The rest of it was not read."""


# After these errors, a request was certainly not processed, and others would fare no better.
NOT_PROCESSED = (AuthenticationError, RateLimitError, ConnectError, InputError, InterruptError, JournalError)
