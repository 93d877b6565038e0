"""The waits of the road, shortened, so that a round takes seconds: only how long is waited changes, never what for.

Keep-alive, pauses between connections, a sender's patience and ingest's rest are made for links that are away for minutes.
`tests/faults/rounds/whole.py` plays with all of them as they are.
"""

from dataclasses import replace

from sync import mqtt
from sync.log import sender

KEEPALIVE = "keepalive_s"


def hurry(times: float) -> None:
    """Wait one `times`-th of what is waited for otherwise, in this process. Before any link is made."""
    defaults = mqtt.MqttLink.__init__.__kwdefaults__
    assert defaults is not None
    assert KEEPALIVE in defaults, "the link's keep-alive has another name now"
    defaults[KEEPALIVE] = max(1, round(mqtt.KEEPALIVE_S / times))
    _shorten(mqtt, ("PAUSE_S", "STEADY_S"), times)
    mqtt.PATIENCE = tuple(replace(each, ready_s=each.ready_s / times) for each in mqtt.PATIENCE)
    first, longest = sender.PATIENCE_MS
    sender.PATIENCE_MS = (round(first / times), round(longest / times))


def hurry_office(times: float) -> None:
    """The same for what the office's ingest waits for besides. Django must be set up."""
    from central.ingest import process

    _shorten(process, ("RETRY_S",), times)


def _shorten(module: object, names: tuple[str, ...], times: float) -> None:
    for name in names:
        wait = getattr(module, name)
        shortened = tuple(each / times for each in wait) if isinstance(wait, tuple) else wait / times
        setattr(module, name, shortened)
