"""Live feeds: samples from a source into a frame, with rules and detectors on the way.

>>> from monitorlab.storage import SeriesStore
>>> recorded = SeriesStore()
>>> recorded.extend("queue_depth", [0, 15, 30], [1.0, 8.0, 9.0])
>>> feed = LiveFeed(SeriesStore(), Replay(recorded, speed=None), own_metrics=False)
>>> feed.run().summary()
'feed closed, Replay(full speed, at 1970-01-01 00:00:30): 3 samples of 1 series'
"""

from monitorlab.feed.batch import Batch, Chunk, PollingSource, Source
from monitorlab.feed.buffer import Buffer
from monitorlab.feed.clock import Clock, SimulatedClock
from monitorlab.feed.host import HostSource
from monitorlab.feed.http import HttpSource
from monitorlab.feed.live import LiveFeed
from monitorlab.feed.prometheus import PrometheusSource
from monitorlab.feed.push import QueueSource
from monitorlab.feed.replay import Replay
from monitorlab.feed.retry import Backoff
from monitorlab.feed.scrape import ScrapeSource
from monitorlab.feed.status import FeedEvent, FeedState, FeedStatus, FeedUpdate, event_table
from monitorlab.feed.tail import CsvTail

__all__ = [
    "Backoff",
    "Batch",
    "Buffer",
    "Chunk",
    "Clock",
    "CsvTail",
    "FeedEvent",
    "FeedState",
    "FeedStatus",
    "FeedUpdate",
    "HostSource",
    "HttpSource",
    "LiveFeed",
    "PollingSource",
    "PrometheusSource",
    "QueueSource",
    "Replay",
    "ScrapeSource",
    "SimulatedClock",
    "Source",
    "event_table",
]
