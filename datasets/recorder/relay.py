"""A TCP relay between the shop and PostgreSQL that can delay what it forwards.

It stands in for a slow network: every piece of data is held back for the delay that is set
over ``POST /control`` (0 by default, when it only forwards). Order is kept.
"""

from __future__ import annotations

import argparse
import asyncio
import random

import uvloop
from aiohttp import web


class Delay:
    """The delay in force: a mean and a jitter, in seconds."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.jitter = 0.0

    def draw(self) -> float:
        """Draw the delay of the next piece, in seconds."""
        return max(0.0, random.gauss(self.seconds, self.jitter)) if self.seconds else 0.0


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: Delay) -> None:
    """Forward one direction of a connection until it ends."""
    try:
        while data := await reader.read(65536):
            pause = delay.draw()
            if pause:
                await asyncio.sleep(pause)
            writer.write(data)
            await writer.drain()
    except (ConnectionError, asyncio.CancelledError):
        pass
    finally:
        writer.close()


async def serve(port: int, target: int, control: int) -> None:
    """Run the relay and its control endpoint for ever."""
    delay = Delay()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", target)
        except OSError:
            writer.close()
            return
        await asyncio.gather(pump(reader, far_writer, delay), pump(far_reader, writer, delay))

    async def set_delay(request: web.Request) -> web.Response:
        order = await request.json()
        delay.seconds, delay.jitter = float(order["seconds"]), float(order.get("jitter", 0.0))
        return web.json_response({"seconds": delay.seconds})

    app = web.Application()
    app.add_routes([web.post("/control", set_delay)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", control).start()
    server = await asyncio.start_server(accept, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("port", "target", "control"):
        parser.add_argument(f"--{name}", type=int, required=True)
    options = parser.parse_args()
    uvloop.run(serve(options.port, options.target, options.control))
