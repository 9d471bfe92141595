"""Where live samples come from: recordings, servers, this machine, one's own code.

A source of one's own is a class with an async generator ``batches(clock)``; or, when it is
asked at an interval, a ``PollingSource`` with ``read(clock)``:

>>> class Dice(PollingSource):
...     name = "dice"
...     async def read(self, clock):
...         return Batch.of({"dice_face": 4.0}, clock.now_ns())
>>> Dice(interval="1s")
Dice(dice)
"""

from monitorlab.feed.batch import Batch, Chunk, PollingSource, Source
from monitorlab.feed.host import HostSource
from monitorlab.feed.http import HttpSource
from monitorlab.feed.prometheus import PrometheusSource
from monitorlab.feed.push import QueueSource
from monitorlab.feed.replay import Replay
from monitorlab.feed.scrape import ScrapeSource
from monitorlab.feed.tail import CsvTail

__all__ = [
    "Batch",
    "Chunk",
    "CsvTail",
    "HostSource",
    "HttpSource",
    "PollingSource",
    "PrometheusSource",
    "QueueSource",
    "Replay",
    "ScrapeSource",
    "Source",
]
