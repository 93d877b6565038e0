"""The other simulated thermometers that stream: CJMCU-90614, GY-614V and the thermal camera GY-MCU90640."""

from math import atan, degrees
from typing import Any, ClassVar, Final

from drivers.protocols import cjmcu_90614, gy_614v, gy_mcu90640
from drivers.protocols.frames import Frame
from drivers.protocols.gy_614v import Read, Register, Write
from drivers.protocols.gy_mcu90640 import HEIGHT, WIDTH, Group, Picture, Setting
from drivers.simulators.forehead import FAR_CM, Physics, Surroundings
from drivers.simulators.thermometer import StreamModel

FACE_CM: Final = 7.5  # half as wide as a face
PIXEL_DEGREES: Final = 55 / WIDTH  # GY-MCU90640 BAA
PICTURE_NOISE_C: Final = 0.25
RATES_HZ: Final = (0.5, 1.0, 2.0, 4.0, 8.0)


class Cjmcu90614Model(StreamModel):
    """A CJMCU-90614."""

    host: ClassVar[Frame[Any]] = cjmcu_90614.HOST_FRAME

    def __init__(self, settings: Surroundings, *, baud: int = 115_200, automatic: bool = True) -> None:
        super().__init__(settings, baud=baud, automatic=automatic)

    def _obey(self, asked: cjmcu_90614.Command, now_ms: int) -> None:
        match asked:
            case cjmcu_90614.Command.STREAM:
                self._stream(now_ms)
            case cjmcu_90614.Command.ONCE:
                self._streaming = False
                self._once += 1
            case rate:
                self._next_baud = int(rate.name.removeprefix("BAUD_"))

    def _frame(self, now_ms: int) -> bytes:
        return cjmcu_90614.encode(*self.physics.noisy(now_ms), mode=0x01 if self._streaming else 0x02)


class BodyPhysics(Physics):
    """A module that makes a body's temperature of whatever it looks at."""

    body_above_skin_c = 1.5


class Gy614vModel(StreamModel):
    """A GY-614V. What is not saved in it is gone with its power."""

    host: ClassVar[Frame[Any]] = gy_614v.HOST_FRAME
    physics_of: ClassVar[type[Physics]] = BodyPhysics

    def __init__(
        self, settings: Surroundings, *, baud: int = 9_600, automatic: bool = True, text: bool = False, rate: int = 0
    ) -> None:
        super().__init__(settings, baud=baud, automatic=automatic)
        self._saved = {
            Register.BAUD: gy_614v.BAUDS.index(baud),
            Register.RATE: rate,
            Register.OUTPUT: 0 if automatic else 1,
            Register.FORMAT: int(text),
        }
        self._registers = dict(self._saved)
        self._answers = b""

    def power_on(self, now_ms: int) -> None:
        """See Instrument.power_on."""
        self._registers = dict(self._saved)
        self._answers = b""
        self._next_baud = gy_614v.BAUDS[self._saved[Register.BAUD]]
        self._automatic = self._saved[Register.OUTPUT] == gy_614v.STREAMS
        self._every_ms = 1_000 // gy_614v.RATES[self._registers[Register.RATE]]
        super().power_on(now_ms)

    def say(self, now_ms: int) -> bytes:
        """See Instrument.say: answers first, which are binary however it streams."""
        answers, self._answers = self._answers, b""
        return answers + super().say(now_ms)

    def due_ms(self) -> int | None:
        """See Instrument.due_ms."""
        return 0 if self._answers else super().due_ms()

    def _obey(self, asked: Write | Read, now_ms: int) -> None:
        if isinstance(asked, Read):
            if (asked.start, asked.count) == (0x07, 0x07):
                object_c, ambient_c = self.physics.noisy(now_ms)
                self._answers += gy_614v.encode(object_c, ambient_c, object_c + self.physics.body_above_skin_c)
            return
        if asked.register is Register.SAVE:
            self._saved = dict(self._registers)
            return
        self._registers[asked.register] = asked.value
        if asked.register is Register.RATE:
            self._every_ms = 1_000 // gy_614v.RATES[asked.value]
            self._next_ms = min(self._next_ms, now_ms + self._every_ms)
        elif asked.register is Register.OUTPUT:
            self._streaming = asked.value == gy_614v.STREAMS
            self._next_ms = max(self._next_ms, now_ms)

    def _frame(self, now_ms: int) -> bytes:
        object_c, ambient_c = self.physics.noisy(now_ms)
        body_c = object_c + self.physics.body_above_skin_c
        if self._registers[Register.FORMAT] != gy_614v.BINARY:
            return f"TO={object_c:.2f} TA={ambient_c:.2f} BO={body_c:.2f}\r\n".encode("ascii")
        return gy_614v.encode(object_c, ambient_c, body_c)


class Gy90640Model(StreamModel):
    """A GY-MCU90640: a face as a disc before a room. `hot`: what else is in the picture, °C by place."""

    host: ClassVar[Frame[Any]] = gy_mcu90640.HOST_FRAME

    def __init__(self, settings: Surroundings, *, baud: int = 115_200, automatic: bool = True, rate: int = 3) -> None:
        super().__init__(settings, baud=baud, automatic=automatic)
        self.hot: dict[tuple[int, int], float] = {}
        self._seen: Picture | None = None
        self._every_ms = round(1_000 / RATES_HZ[rate])

    def _obey(self, asked: Setting, now_ms: int) -> None:
        match asked.group:
            case Group.OUTPUT if asked == gy_mcu90640.AUTOMATIC:
                self._stream(now_ms)
            case Group.OUTPUT:
                self._streaming = False
                self._once += 1
            case Group.BAUD if asked.value in gy_mcu90640.BAUDS:
                self._next_baud = gy_mcu90640.BAUDS[asked.value]
            case Group.RATE if asked.value < len(RATES_HZ):
                self._every_ms = round(1_000 / RATES_HZ[asked.value])

    def _frame(self, now_ms: int) -> bytes:
        return gy_mcu90640.encode(self.picture(now_ms))

    def picture(self, now_ms: int) -> Picture:
        """What it sees; while it hangs, what it saw last."""
        if self._seen is None or not self.physics.frozen:
            self._seen = self._look(now_ms)
        return self._seen

    def _look(self, now_ms: int) -> Picture:
        physics = self.physics
        room_c, ambient_c = physics.room(now_ms)
        face = physics.face(now_ms)
        radius, skin_c = (0.0, room_c) if face is None else (_radius(face[1]), face[0])
        pixels = [
            (skin_c if _from_middle(row, column) < radius else room_c) + physics.noise(PICTURE_NOISE_C)
            for row in range(HEIGHT)
            for column in range(WIDTH)
        ]
        for (row, column), hot_c in self.hot.items():
            pixels[row * WIDTH + column] = hot_c
        return Picture(pixels, ambient_c)


def _radius(distance_cm: float) -> float:
    """Of a face, in pixels; nobody at all from far away."""
    return degrees(atan(FACE_CM / distance_cm)) / PIXEL_DEGREES if distance_cm < FAR_CM else 0.0


def _from_middle(row: int, column: int) -> float:
    return float(((row - HEIGHT / 2) ** 2 + (column - WIDTH / 2) ** 2) ** 0.5)
