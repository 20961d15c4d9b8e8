"""What a program does that keeps its bookmarks with aiolinkding: run as a process, with its address and token as
arguments; prints what came back of each step, as JSON.

It stands alone: aiolinkding and what it needs are in a directory of their own.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from aiolinkding import async_get_client
from aiolinkding.errors import InvalidTokenError, RequestError, UnknownEndpointError

# No such host: nothing is read that would change the bookmark meanwhile.
URL = "https://aiolinkding.invalid/indexes"


async def keep_bookmarks(address: str, token: str) -> dict[str, Any]:
    """Create, list, search, update, archive, check and delete a bookmark; what each step answered."""
    client = await async_get_client(address, token)
    told: dict[str, Any] = {}
    told["created"] = await client.bookmarks.async_create(
        URL, title="Indexes", description="D", notes="N", tag_names=["db", "reading"], unread=True, shared=True
    )
    number = told["created"]["id"]
    told["all"] = await client.bookmarks.async_get_all(limit=10)
    told["found"] = await client.bookmarks.async_get_all(query="indexes #db !unread")
    told["not found"] = await client.bookmarks.async_get_all(query="not #db")
    told["updated"] = await client.bookmarks.async_update(number, title="Indexes of PostgreSQL", tag_names=["db"])
    told["single"] = await client.bookmarks.async_get_single(number)
    told["archive"] = await client.bookmarks.async_archive(number)
    told["archived"] = await client.bookmarks.async_get_archived(query="postgresql")
    told["unarchive"] = await client.bookmarks.async_unarchive(number)
    told["tags"] = await client.tags.async_get_all()
    told["tag"] = await client.tags.async_get_single(told["tags"]["results"][0]["id"])
    told["made tag"] = await client.async_request("post", "/api/tags/", json={"name": "made"})
    told["checked"] = await client.async_request("get", "/api/bookmarks/check/", params={"url": URL})
    told["profile"] = await client.user.async_get_profile()
    told["delete"] = await client.bookmarks.async_delete(number)
    told["left"] = await client.bookmarks.async_get_all()
    told["refusals"] = [
        await refusal(client.bookmarks.async_get_single(number)),
        await refusal(client.bookmarks.async_create("no link")),
        await refusal((await async_get_client(address, "wrong")).bookmarks.async_get_all()),
        await refusal(client.async_request("get", "/api/nothing/")),
    ]
    return told


async def refusal(call: Any) -> str:
    """The name of the error that a call ends with."""
    try:
        await call
    except (InvalidTokenError, UnknownEndpointError, RequestError) as error:
        return type(error).__name__
    return "none"


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(keep_bookmarks(*sys.argv[1:]))))
