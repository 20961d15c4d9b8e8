"""The Lua scripts of the response cache, from the `.lua` files beside this module."""

from __future__ import annotations

from pathlib import Path

from backend.redis.resilient import Script


def _source(name: str) -> str:
    return Path(__file__).with_name(f"{name}.lua").read_text()


LUA_GENERATION = _source("generation")
LUA_LOOKUP = LUA_GENERATION + _source("lookup")
READ = Script(LUA_LOOKUP + _source("read"))
STORE = Script(LUA_GENERATION + _source("items") + _source("store"))
STORE_ENCODED = Script(_source("store_encoded"))
INVALIDATE = Script(LUA_GENERATION + _source("items") + _source("invalidate"))
