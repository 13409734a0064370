"""An invented phone in the hands of a test, used through the chat page's own requests."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from fastapi import FastAPI

from bot.channels.console import ConsoleChannel
from bot.service import CONSOLES, Service
from webhooks import simulator


class Phone:
    """One invented phone, used through the page's own requests."""

    def __init__(self, client: httpx.AsyncClient, phone: str = "amina", channel: str = "console") -> None:
        self.client, self.phone, self.channel = client, phone, channel
        self.address = f"/simulator/phones/{phone}/messages"
        self._ids = iter(range(10**6))

    async def look(self, **query: Any) -> dict[str, Any]:
        answer = await self.client.get(self.address, params={"channel": self.channel} | query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def posts(self, kind: str, **fields: Any) -> httpx.Response:
        body = {"id": f"{self.phone}-{next(self._ids):08}", "channel": self.channel, "kind": kind} | fields
        return await self.client.post(self.address, json=body)

    async def sends(self, kind: str, **fields: Any) -> list[dict[str, Any]]:
        """Send, wait for the answer, and give all that is on the screen."""
        answer = await self.posts(kind, **fields)
        assert answer.status_code == 200, answer.text
        return await self.rests()

    async def rests(self) -> list[dict[str, Any]]:
        for _ in range(200):
            seen = await self.look()
            if not seen["busy"]:
                return list(seen["messages"])
            await asyncio.sleep(0.02)
        raise AssertionError("no answer")

    async def taps(self, token: str) -> list[dict[str, Any]]:
        seen = await self.look()
        offered = [m for m in seen["messages"] if token in [o["token"] for o in m["options"]]]
        return await self.sends("tap", message=offered[-1]["id"], token=token)


Use = Callable[[httpx.AsyncClient], Awaitable[None]]


def with_page(service: Service, use: Use, *, works: bool = True) -> None:
    """Run `use` against the routes of the chat page, with a worker if `works`."""
    for name in CONSOLES:
        service.channels[name] = ConsoleChannel(service.store, service.clock, name)
    app = FastAPI()
    app.include_router(simulator.router(service))

    async def run() -> None:
        worker = asyncio.create_task(service.worker.run()) if works else None
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            await use(client)
        if worker is not None:
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)

    asyncio.run(run())
