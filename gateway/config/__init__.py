"""A gate's file: TOML, typed, and checked as a whole before anything starts."""

from gateway.config.loading import check, load, policy_with
from gateway.config.problems import ConfigError, Problem
from gateway.config.settings import ClockKind, DeviceConfig, GateConfig, SimulationConfig

__all__ = [
    "ClockKind",
    "ConfigError",
    "DeviceConfig",
    "GateConfig",
    "Problem",
    "SimulationConfig",
    "check",
    "load",
    "policy_with",
]
