# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 emailsec.cloudflare contributors

"""A plain HTTP client of the emulator that holds every answer against the contract."""

from __future__ import annotations

from typing import Any

import httpx
from emulator import Emulator
from emulator.contract import document, flaw
from openapi_core import Config, OpenAPI
from openapi_core.testing import MockRequest, MockResponse


class Api:
    """Sends requests to the API; answers are checked with openapi-core, independent of the server's own code."""

    contract = OpenAPI.from_dict(document(), config=Config(spec_validator_cls=None))  # type: ignore[arg-type]  # documented so
    server = document()["servers"][1]["url"]

    def __init__(self, emulator: Emulator, credential: str = "write") -> None:
        self.emulator = emulator
        self.http = httpx.Client(headers=emulator.credentials[credential].headers, verify=False, timeout=5)

    @property
    def mail(self) -> str:
        """The path of the investigate endpoints of the first account."""
        return f"/accounts/{self.emulator.account_id}/email-security/investigate"

    def request(self, method: str, path: str, *, check: bool = True, **options: Any) -> httpx.Response:
        """Send a request to a path of the API; a path without account is one below investigate."""
        if not path.startswith("/"):
            path = f"{self.mail}/{path}".rstrip("/")
        response = self.http.request(method, self.emulator.url + path, **options)
        if check:
            self.validate(response)
        return response

    def get(self, path: str, **query: Any) -> httpx.Response:
        """GET with a query."""
        return self.request("GET", path, params=query)

    def search(self, **query: Any) -> list[dict[str, Any]]:
        """The messages of one page of a search that must succeed."""
        response = self.get("", **query)
        assert response.status_code == 200, response.text
        result: list[dict[str, Any]] = response.json()["result"]
        return result

    def release(self, body: Any) -> httpx.Response:
        """Release with that JSON body."""
        return self.request("POST", "release", json=body)

    def validate(self, response: httpx.Response) -> None:
        """Raise if the answer is not one that the contract allows for its request."""
        request = response.request
        path = request.url.raw_path.decode().partition("?")[0].removeprefix("/client/v4")
        self.contract.validate_response(
            MockRequest(self.server, request.method.lower(), path),
            MockResponse(
                response.content, response.status_code, dict(response.headers), response.headers["content-type"]
            ),
        )
        if response.is_error:
            assert flaw("Failure", response.json()) is None


def error(response: httpx.Response) -> tuple[int, int]:
    """Status and first error code of a failure."""
    return response.status_code, response.json()["errors"][0]["code"]
