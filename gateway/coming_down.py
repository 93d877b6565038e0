"""What comes down on one topic, told apart by what it says that it is."""

from collections.abc import Callable, Mapping

from sync.log.messages import tag_of

Handler = Callable[[str, bytes], None]


def by_tag(handlers: Mapping[str, Handler], otherwise: Handler) -> Handler:
    """The handler of a topic on which several kinds of messages come; `otherwise` has what no other takes."""

    def received(topic: str, payload: bytes) -> None:
        handlers.get(tag_of(payload), otherwise)(topic, payload)

    return received
