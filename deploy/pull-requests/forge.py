#!/usr/bin/env python3
"""What the pull-request checks ask of a forge's HTTP API. Python's standard library, and nothing of tnet.

forge.py comment REPORT    post REPORT as a comment, or put it in the place of an earlier one
forge.py list              GitLab: the open requests, a line each: number and commit

FORGE             github, forgejo or gitlab
FORGE_API         https://api.github.com, https://HOST/api/v1, https://HOST/api/v4
FORGE_REPOSITORY  owner/name; for GitLab the project's number
FORGE_REQUEST     the request's number
FORGE_TOKEN       a token that may comment
FORGE_ME          the name under which that token comments
LEDGER_BRANCH     for `list`: the branch that requests are to go to (main)
"""

from __future__ import annotations

import json
import os
import re
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

MARKER = "<!-- tnet check -->"
TIMEOUT_S = 30
MAX_PAGES = 100


class Forge(NamedTuple):
    """How one forge does it. Paths are templates of `repository`, `request` and `comment`."""

    authorization: tuple[str, str]
    comments: str
    comment: str
    edit: str
    author: Callable[[dict[str, Any]], str]


_LIKE_GITHUB = (
    "/repos/{repository}/issues/{request}/comments",
    "/repos/{repository}/issues/comments/{comment}",
    "PATCH",
    lambda found: str(found["user"]["login"]),
)
FORGES = {
    "github": Forge(("Authorization", "Bearer {}"), *_LIKE_GITHUB),
    "forgejo": Forge(("Authorization", "token {}"), *_LIKE_GITHUB),
    "gitlab": Forge(
        ("PRIVATE-TOKEN", "{}"),
        "/projects/{repository}/merge_requests/{request}/notes",
        "/projects/{repository}/merge_requests/{request}/notes/{comment}",
        "PUT",
        lambda found: str(found["author"]["username"]),
    ),
}


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A token goes to nobody but the API that it is for."""

    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)


def ask(forge: Forge, method: str, path: str, body: object = None) -> Any:
    """One call of the API. Raises urllib.error.URLError, of which HTTPError is one."""
    name, form = forge.authorization
    request = urllib.request.Request(
        os.environ["FORGE_API"].rstrip("/") + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={
            name: form.format(os.environ["FORGE_TOKEN"]),
            "Content-Type": "application/json",
            "Accept": "application/json",
            "User-Agent": "tnet-pull-requests",
        },
    )
    with _OPENER.open(request, timeout=TIMEOUT_S) as answer:
        return json.load(answer)


def pages(forge: Forge, path: str, query: str = "") -> Iterator[dict[str, Any]]:
    """All entries of a list, however many the forge gives at once."""
    for number in range(1, MAX_PAGES + 1):
        found = ask(forge, "GET", f"{path}?{query}per_page=100&limit=50&page={number}")
        if not found:
            return
        yield from found


def comment(forge: Forge, report: str) -> str:
    """Only a comment of our own is ever changed: anybody may write one that looks like it."""
    names = {"repository": os.environ["FORGE_REPOSITORY"], "request": int(os.environ["FORGE_REQUEST"])}
    comments = forge.comments.format(**names)
    for found in pages(forge, comments):
        if forge.author(found) == os.environ["FORGE_ME"] and str(found["body"]).startswith(MARKER):
            ask(forge, forge.edit, forge.comment.format(**names, comment=int(found["id"])), {"body": report})
            return f"comment {int(found['id'])} changed"
    made = ask(forge, "POST", comments, {"body": report})
    return f"comment {int(made['id'])} posted"


def open_requests(forge: Forge) -> Iterator[str]:
    """Number and commit of each open request to the ledger's branch."""
    branch = urllib.parse.quote(os.environ.get("LEDGER_BRANCH") or "main", safe="")
    path = f"/projects/{os.environ['FORGE_REPOSITORY']}/merge_requests"
    for found in pages(forge, path, f"state=opened&target_branch={branch}&"):
        if re.fullmatch(r"[0-9a-f]{40}", str(found["sha"])):
            yield f"{int(found['iid'])} {found['sha']}"


def main(words: list[str]) -> int:
    forge = FORGES[os.environ["FORGE"]]
    try:
        if words[:1] == ["comment"] and len(words) == 2:
            print(comment(forge, Path(words[1]).read_text("utf-8")))
        elif words == ["list"]:
            print("\n".join(open_requests(forge)))
        else:
            print(__doc__, file=sys.stderr)
            return 64
    except urllib.error.URLError as error:
        print(f"forge.py: the forge's API refused or failed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
