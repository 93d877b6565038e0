"""The stage: the simulated devices of a gate, handed to the people of its scenario."""

from typing import Any

from drivers.catalogue import Bench
from drivers.simulators.doorway import Doorway
from gateway.clock import Clock
from gateway.config import SimulationConfig
from gateway.feed import Feed
from gateway.hardware import Hardware
from gateway.simulation.people import People, SceneEnded, Stage
from gateway.simulation.scenario import Scene, load_cast, load_scenario
from gateway.simulation.wires import Wires


def play(simulation: SimulationConfig, hardware: Hardware, bench: Bench, clock: Clock, feed: Feed | None) -> People:
    """The people of the configured scenario; they come when started. Raises ScenarioError."""
    cast = load_cast(simulation.cast)
    scenario = load_scenario(simulation.scenario, cast)
    door = Doorway(bench, {config.use: config.settings for config, _ in hardware.devices})
    ends = {config.use.value: _simulator(hardware, config.use) for config, _ in hardware.devices}
    stage = Stage(
        door=door,
        thermometer=ends.get("thermometer"),
        card_reader=ends.get("entry-reader"),
        exit_reader=ends.get("exit-reader"),
        camera=ends.get("entry-camera"),
        exit_camera=ends.get("exit-camera"),
        wires=Wires(door, ends),
    )

    def began(scene: Scene) -> None:
        if feed is not None:
            feed.tell("scene", at=scene.at, zh=scene.zh, en=scene.en)

    def ended(done: SceneEnded) -> None:
        if feed is not None:
            feed.tell("scene-ended", outcome=done.outcome, expects=done.scene.expects)

    def finished() -> None:
        if feed is not None:
            feed.tell("finished")

    return People(
        scenario,
        cast,
        stage,
        clock,
        pace=simulation.pace,
        visits=simulation.visits,
        began=began,
        ended=ended,
        finished=finished,
    )


def _simulator(hardware: Hardware, use: str) -> Any:
    """What people act on at the far end of the first simulated device with this use; None where all are real, which nobody here can
    use."""
    ends = (getattr(device, "simulator", None) for config, device in hardware.devices if config.use == use)
    return next((end for end in ends if end is not None), None)
