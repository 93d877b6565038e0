"""A guard post, put together from its configuration and run until it is told to stop. It decides nothing."""

import logging
import queue
import secrets
import signal
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from drivers.catalogue import Bench
from drivers.interfaces import Post as PostReading
from drivers.readings import DeviceState, DeviceStatus, Level, Reading
from gateway.clock import Clock
from gateway.config.uses import Use
from gateway.core import events
from gateway.feed import Feed
from gateway.hardware import Hardware
from gateway.post import core
from gateway.post.config import PostConfig
from gateway.post.duty import guard_on_duty
from gateway.post.ears import Ears
from gateway.post.speech import Speech
from gateway.switches import Switch
from sync.contract.commands import seal_command
from sync.contract.post import seal_heartbeat, seal_question
from sync.contract.topics import Channel, topic
from sync.keyfiles import read_key_file
from sync.notify import Notifier

logger = logging.getLogger("menshen.post")
IDLE_S: Final = 1.0  # the watchdog is fed, and what is shown is drawn anew, at least this often
MOST_WAITING: Final = 1_000  # messages; a gate that floods is dropped, and its next state tells all
Draw = Callable[[core.Post, int], None]


class Inbox:
    """Events in the order they came. Messages are dropped while too many wait; what the guard does never is."""

    def __init__(self) -> None:
        self._events: queue.SimpleQueue[core.Event | None] = queue.SimpleQueue()

    def message(self, event: core.Event) -> None:
        """Something came from a gate."""
        if self._events.qsize() < MOST_WAITING:
            self._events.put(event)

    def post(self, event: core.Event) -> None:
        """Something happened here."""
        self._events.put(event)

    def close(self) -> None:
        """Wake the reader for good."""
        self._events.put(None)

    def get(self, timeout_s: float) -> core.Event | None:
        """The next one, a tick after `timeout_s`, or None once closed."""
        try:
            return self._events.get(timeout=timeout_s)
        except queue.Empty:
            return core.Tick()


class Intake:
    """Implements gateway.hardware.Intake."""

    def __init__(self, post: Callable[[core.Event], None], guard_file: Path, name: str) -> None:
        self._post = post
        self._guard_file = guard_file
        self._name = name

    def of(self, name: str, use: str) -> PostReading:
        """The `post` for one device: a button, or the loudspeaker's state."""

        def post(reading: Reading) -> None:
            match reading:
                case Level(True) if use == Use.ACKNOWLEDGE:
                    self._post(core.Pressed(guard_on_duty(self._guard_file) or self._name))
                case DeviceStatus(state) if state is not DeviceState.STARTING:
                    self._post(core.DeviceChanged(name, state is DeviceState.OK))

        return post


class Hands:
    """Carries out what the core wants, in order."""

    def __init__(
        self,
        hardware: Hardware,
        speech: Speech,
        ears: Ears,
        key: Ed25519PrivateKey,
        post: Callable[[core.Event], None],
        feed: Feed | None,
    ) -> None:
        def changed(event: events.DeviceChanged) -> None:
            post(core.DeviceChanged(event.device, event.state == "ok"))

        self._siren = None if hardware.sounder is None else Switch(hardware.sounder, changed)
        self._lamp = None if hardware.alarm_lamp is None else Switch(hardware.alarm_lamp, changed)
        self._speech = speech
        self._ears = ears
        self._key = key
        self._feed = feed

    def carry_out(self, effects: tuple[core.Effect, ...]) -> None:
        """The effects of one event; then again what an output did not take before."""
        for effect in effects:
            try:
                self._do(effect)
            except Exception:  # such as a command that no gate would take: the sound behind it must not wait for it
                logger.exception("%s could not be carried out; going on", type(effect).__name__)
        for switch in (self._siren, self._lamp):
            if switch is not None:
                switch.again()

    def _do(self, effect: core.Effect) -> None:
        match effect:
            case core.Sound(tone, loud, lamp):
                self._sound(effect)
                self._tell("sound", tone=tone or "", loud=str(loud), lamp=str(lamp))
            case core.Say(kind, gate):
                self._speech.say(effect)
                self._tell("say", kind=kind, gate=gate)
            case core.Beat(heartbeat):
                self._ears.publish(
                    heartbeat.gate, topic(heartbeat.gate, Channel.POST), seal_heartbeat(heartbeat, self._key)
                )
            case core.Ask(question):
                self._ears.publish(
                    question.gate, topic(question.gate, Channel.POST), seal_question(question, self._key)
                )
            case core.Send(gate, command):
                logger.info("%s acknowledges alarm %s at %s", command.by, command.alarm, gate)
                self._ears.publish(gate, topic(gate, Channel.CMD), seal_command(command, self._key))
            case core.Show(what, gate, kind, alarm, by):
                logger.info("%s: %s %s %s", gate, kind, what, by)
                self._tell(what, gate=gate, kind=kind, alarm=alarm, by=by)

    def _sound(self, sound: core.Sound) -> None:
        self._speech.sound(sound)
        for switch, active in ((self._siren, sound.tone is not None), (self._lamp, sound.lamp)):
            if switch is not None:
                switch.set(active=active)

    def _tell(self, what: str, **values: str) -> None:
        if self._feed is not None:
            self._feed.tell(what, **values)


def run_post(
    config: PostConfig, *, feed: Feed | None, notifier: Notifier, draw: Draw | None = None, bench: Bench | None = None
) -> None:
    """Run until SIGTERM or SIGINT. `draw` shows how things stand, after each turn. Raises KeyFileError without a key, TlsFileError
    for certificates that cannot be used."""
    key = read_key_file(config.key_file)
    with ExitStack() as stack:
        hardware = Hardware(config.devices, bench or Bench())
        stack.callback(hardware.close)
        inbox = Inbox()
        post = core.Post(
            config.post.id,
            tuple(config.gates),
            sounding=[each.name for each in config.devices if each.use in (Use.SPEAKER, Use.SOUNDER)],
            ids=lambda: secrets.token_hex(16),
            now_ms=Clock.mono_ms(),
            languages=len(config.post.languages),
        )
        speech = Speech(config, hardware.speaker)
        speech.start()
        stack.callback(speech.stop)
        ears = Ears(config, inbox.message)
        hands = Hands(hardware, speech, ears, key, inbox.post, feed)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: inbox.close())
        stack.callback(hardware.stop)
        hardware.start(Intake(inbox.post, config.guard_file, config.post.id))
        ears.start()
        stack.callback(ears.stop)
        logger.info("post %s is ready: it follows %s", config.post.id, ", ".join(config.gates))
        notifier.ready()
        if feed is not None:
            feed.tell("ready", post=config.post.id)
        _run(post, inbox, hands, notifier, draw)
        notifier.stopping()


def _run(post: core.Post, inbox: Inbox, hands: Hands, notifier: Notifier, draw: Draw | None) -> None:
    while True:
        now = Clock.mono_ms()
        event = inbox.get(min(IDLE_S, (post.deadline(now) - now) / 1000))
        if event is None:
            return
        try:
            hands.carry_out(post.handle(event, Clock.mono_ms()))
            if draw is not None:
                draw(post, Clock.mono_ms())
        except Exception:
            # a fault of ours must not end the post: what stands is looked at again with the next event
            logger.exception("deciding on %s failed", type(event).__name__)
        notifier.alive()


def words_of_nothing(*_: Any) -> str:
    """For a feed of which no words are asked."""
    return ""
