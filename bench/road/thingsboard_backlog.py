"""Runs inside thingsboard-gateway's own environment: fills its SQLite storage through its own classes.

    python thingsboard_backlog.py FOLDER < one JSON body a line

Each body becomes one telemetry entry of one device, as a connector's converter would make it, and is put into the storage as
the gateway's own thread puts it.
"""

# mypy: ignore-errors

import logging
import sys
import time
from threading import Event

import simplejson
from thingsboard_gateway.gateway.entities.converted_data import ConvertedData
from thingsboard_gateway.storage.sqlite.sqlite_event_storage import SQLiteEventStorage


def main() -> None:
    """Fill it; the number of entries on standard output."""
    stop = Event()
    settings = {"data_file_path": sys.argv[1], "writing_batch_size": 1000, "size_limit": 8192}
    storage = SQLiteEventStorage(settings, logging.getLogger("storage"), stop)
    count = 0
    for line in sys.stdin:
        entry = ConvertedData("gate", "gate")
        entry.add_to_telemetry({"ts": 1_700_000_000_000 + count, "values": {"visit": simplejson.loads(line)}})
        while not storage.put(simplejson.dumps(entry.to_dict(False), separators=(",", ":"), skipkeys=True)):
            time.sleep(0.01)
        count += 1
    while not storage.write_queue.empty():
        time.sleep(0.05)
    time.sleep(2)  # its writing thread gathers for a while
    storage.stop()
    print(count)


main()
