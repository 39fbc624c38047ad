# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""What can go wrong, as the rest of the collection needs to tell it apart.

Every message is one or two sentences for a human and never holds a secret.
"""

from __future__ import annotations

import traceback
import typing as t


class CloudflareError(Exception):
    """Base of all errors that this collection raises on purpose."""

    def sentence(self) -> str:
        """Return the message as a sentence of its own."""
        text = str(self).rstrip(".")
        return f"{text[:1].upper()}{text[1:]}."

    def details(self) -> dict[str, t.Any]:
        """Return the machine-readable part, for the result of a failing task."""
        return {}


class InternalError(CloudflareError):
    """A fault of this collection, with its traceback. What was in flight is in doubt."""

    def __init__(self, error: Exception) -> None:
        super().__init__(
            f"A fault of this collection ended the run ({type(error).__name__}: {error}); please report it"
        )
        self.traceback = "".join(traceback.format_exception(type(error), error, error.__traceback__))

    def details(self) -> dict[str, t.Any]:
        return {"exception": self.traceback}


class InputError(CloudflareError):
    """An option, a handle or a file of the user's is unusable. Nothing was sent."""


class JournalError(CloudflareError):
    """The journal cannot be written, so nothing more may be sent."""


class ResultFileError(CloudflareError):
    """The rows of the result cannot be written to a file. What was done stays done."""


class ConnectError(CloudflareError):
    """The server was never reached: nothing was sent."""


class CertificateError(ConnectError):
    """The server's TLS certificate was not accepted: nothing was sent, and trying again is pointless."""


class InterruptError(CloudflareError):
    """The run was told to stop (SIGTERM or SIGINT) while it waited."""


class DoubtfulError(CloudflareError):
    """The request may have been carried out: no answer came, or none that can be understood."""


class ApiError(CloudflareError):
    """The API refused a request.

    status: HTTP status. errors: the API's own C(code)/C(message) entries.
    cf_ray: Cloudflare's request id, for a support ticket.
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
        """Return the API's error codes, those of nested causes included."""
        chained = [cause for error in self.errors for cause in error.get("error_chain", [])]
        return {entry["code"] for entry in [*self.errors, *chained]}

    @property
    def no_route(self) -> bool:
        """Tell whether the API found no such route: a wrong path or account, or, perhaps, an unknown object."""
        return not self.codes.isdisjoint({7000, 7003})

    def details(self) -> dict[str, t.Any]:
        return {"status": self.status, "errors": self.errors, "cf_ray": self.cf_ray}


class AuthenticationError(ApiError):
    """The credential was refused, or may not do this."""


class NotFoundError(ApiError):
    """The API answers that it does not know the object (or the route)."""


class ForeignAnswerError(ApiError):
    """Something else than Cloudflare's API refused the request: a proxy, a login page, a redirect, a wrong C(api_url)."""


class RateLimitError(ApiError):
    """Cloudflare asks to wait for longer than C(max_wait) allows. The request was not processed."""
