"""What sounds when, with the time as an argument."""

from array import array

from hypothesis import given
from hypothesis import strategies as st

from drivers.sound.mixer import MOST_WAITING, WAITS_MS, Mixer
from drivers.sound.pcm import BLOCK, EDGE, RATE, BadSound
from tests.drivers.sound.sounds import level, loudest_step

GREETING, PHRASE, ALARM = 10, 20, 30
SOUNDS = {
    "greeting": level(100, 1),
    "phrase": level(200, 1),
    "alarm": level(300, 0.5),
    "short": level(400, 0.03),
    "empty": level(0, 0),
}


class Played:
    """A mixer and what came out of it, block by block of 20 ms."""

    def __init__(self) -> None:
        self.notices: list[str] = []
        self.mixer = Mixer(self._load, self.notices.append)
        self.now_ms = 0
        self.out = array("h")

    @staticmethod
    def _load(name: str) -> "array[int]":
        if name not in SOUNDS:
            raise BadSound(f"{name}: No such file or directory")
        return SOUNDS[name]

    def play(self, *wavs: str, priority: int = GREETING, asked_ms: int | None = None) -> None:
        """Ask for speech, now."""
        self.mixer.play(wavs, priority, self.now_ms if asked_ms is None else asked_ms)

    def hear(self, ms: int) -> list[int]:
        """The level of each block of the next time; 0 for silence."""
        levels = []
        for _ in range(ms // 20):
            block = self.mixer.block(self.now_ms)
            assert block is None or len(block) == BLOCK
            self.out.extend(block or array("h", bytes(2 * BLOCK)))
            levels.append(max(block) if block is not None else 0)
            self.now_ms += 20
        return levels


def test_files_are_played_one_after_the_other_and_then_it_is_silent() -> None:
    it = Played()
    it.play("greeting", "short", "empty", "phrase")
    assert it.hear(2200) == [100] * 50 + [400] * 2 + [200] * 50 + [0] * 8


def test_a_higher_priority_cuts_a_lower_one_short_with_a_fade_and_it_does_not_go_on() -> None:
    it = Played()
    it.play("greeting")
    it.hear(200)
    it.play("alarm", priority=ALARM)
    faded = it.mixer.block(it.now_ms)
    assert faded is not None
    assert faded[0] > faded[EDGE // 2] > faded[EDGE - 1] == 0
    assert not any(faded[EDGE:])
    assert it.hear(700) == [300] * 25 + [0] * 10


def test_an_equal_or_lower_priority_waits_and_the_higher_goes_first() -> None:
    it = Played()
    it.play("phrase", priority=PHRASE)
    it.hear(20)
    it.play("greeting")
    it.play("short", priority=PHRASE)
    assert it.hear(2000) == [200] * 49 + [400] * 2 + [100] * 49


def test_what_would_wait_too_long_is_dropped() -> None:
    it = Played()
    it.play(*["greeting"] * 5)
    it.play("phrase")
    assert 200 not in it.hear(6000)
    it.play("phrase", asked_ms=it.now_ms - WAITS_MS - 1)  # asked while there was no process to hear it
    assert it.hear(200) == [0] * 10
    it.play("phrase", asked_ms=it.now_ms - WAITS_MS)
    assert it.hear(100) == [200] * 5


def test_what_comes_too_late_cuts_nothing_short() -> None:
    it = Played()
    it.now_ms = 10_000
    it.play("greeting")
    it.hear(100)
    it.play("alarm", priority=ALARM, asked_ms=0)
    assert it.hear(900) == [100] * 45


def test_what_waits_already_is_not_said_twice() -> None:
    it = Played()
    it.play("greeting")
    it.hear(20)
    for _ in range(5):
        it.play("phrase")
    assert it.hear(3000).count(200) == 50


def test_however_much_waits_an_alarm_finds_room() -> None:
    it = Played()
    it.play("greeting")
    it.hear(20)
    for number in range(MOST_WAITING + 5):
        it.play("short", f"file {number}")
    it.play("phrase", priority=GREETING + 1, asked_ms=it.now_ms)
    assert 200 in it.hear(100)


def test_a_loop_goes_round_until_it_is_stopped() -> None:
    it = Played()
    it.mixer.loop("short", ALARM)
    assert it.hear(2000) == [400] * 100
    it.mixer.stop_loop("short")
    it.mixer.stop_loop("never was")
    assert it.hear(60) == [400 * (EDGE - 1) // EDGE, 0, 0], "the last block fades out"


def test_a_loop_lasts_exactly_its_period() -> None:
    samples = array("h", range(1, 1000))
    mixer = Mixer(lambda _: samples, print)
    mixer.loop("any", 1)
    out = array("h")
    for _ in range(10):
        out.extend(mixer.block(0) or array("h"))
    assert out[EDGE:] == (samples * 5)[EDGE : 10 * BLOCK]


def test_a_loop_silences_lower_speech_and_higher_speech_is_spoken_over_it() -> None:
    it = Played()
    it.play("greeting")
    it.hear(100)
    it.mixer.loop("alarm", ALARM)
    assert it.hear(100)[1:] == [300] * 4
    it.play("greeting")
    assert set(it.hear(500)) == {300}
    it.play("phrase", priority=ALARM)
    assert it.hear(1200)[1:] == [200] * 50 + [300] * 9


def test_the_highest_loop_sounds_and_the_lower_goes_on_after() -> None:
    it = Played()
    it.mixer.loop("short", PHRASE)
    it.mixer.loop("alarm", ALARM)
    assert set(it.hear(200)) == {300}
    it.mixer.stop_loop("alarm")
    assert set(it.hear(200)[1:]) == {400}


def test_a_file_that_cannot_be_played_is_named_and_skipped() -> None:
    it = Played()
    it.play("gone", "phrase")
    it.mixer.loop("also gone", ALARM)
    it.mixer.loop("empty", ALARM)
    assert it.hear(40) == [200, 200]
    assert it.notices == ["also gone: No such file or directory", "gone: No such file or directory"]


LOUDEST = 400


def test_speech_and_tones_begin_and_end_without_a_click_at_any_volume() -> None:
    it = Played()
    it.mixer.play(["short", "phrase"], GREETING, 0, percent=50)
    it.hear(300)
    it.mixer.loop("alarm", ALARM, percent=60)
    it.hear(110)
    it.mixer.loop("alarm", ALARM, percent=100)  # louder, in the middle
    it.hear(90)
    it.play("phrase", priority=ALARM)
    it.hear(1_200)  # spoken over the tone, which then goes on
    it.mixer.stop_loop("alarm")
    it.hear(60)
    assert max(it.out) == 300
    assert loudest_step(it.out) <= LOUDEST // EDGE + 2


ORDERS = st.one_of(
    st.tuples(st.just("play"), st.lists(st.sampled_from([*SOUNDS, "gone"]), max_size=3), st.integers(0, 9)),
    st.tuples(st.just("loop"), st.sampled_from([*SOUNDS, "gone"]), st.integers(0, 9)),
    st.tuples(st.just("stop"), st.sampled_from([*SOUNDS, "gone"]), st.just(0)),
    st.tuples(st.just("hear"), st.just(""), st.integers(1, 300)),
)


@given(st.lists(ORDERS, max_size=30))
def test_whatever_is_asked_each_block_is_whole_and_a_stopped_mixer_falls_silent(
    orders: list[tuple[str, str, int]],
) -> None:
    it = Played()
    for order, name, number in orders:
        match order:
            case "play":
                it.play(*name, priority=number)
            case "loop":
                it.mixer.loop(name, number)
            case "stop":
                it.mixer.stop_loop(name)
            case _:
                it.hear(20 * number)
    for name in SOUNDS:
        it.mixer.stop_loop(name)
    longest_ms = 1000 * 3 * max(len(sound) for sound in SOUNDS.values()) // RATE
    it.hear(WAITS_MS + 2 * longest_ms + 200)
    assert set(it.hear(100)) == {0}
    assert loudest_step(it.out) <= 2 * LOUDEST // EDGE + 2, "it clicks"


def test_what_waits_is_dropped_and_what_has_begun_goes_on() -> None:
    it = Played()
    it.play("phrase", priority=PHRASE)
    it.hear(100)
    it.play("phrase", priority=PHRASE)
    it.play("greeting", "short", priority=GREETING)
    it.play("greeting", priority=GREETING)
    it.mixer.drop(["phrase"], PHRASE)
    it.mixer.drop(["greeting", "short"], PHRASE)  # that was asked for with another one
    it.mixer.drop(["greeting"], GREETING)
    it.mixer.drop(["never asked for"], GREETING)
    assert it.hear(2100) == [200] * 45 + [100] * 50 + [400] * 2 + [0] * 8
