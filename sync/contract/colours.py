"""The colours of Menshen: types that share colour words and nothing else (never compared, never converted).

A *pass* colour says what kind of holder somebody is, a *health code* what risk, a *lamp* stop or go. A red pass is a
recent returnee, who may enter; a red health code is a refusal. The map's colours join them with the map.
"""

from enum import StrEnum


class PassType(StrEnum):
    """What kind of holder a pass belongs to (分色出入证)."""

    RESIDENT = "resident"  # 常住, green
    TENANT = "tenant"  # 租住, blue
    RETURNEE = "returnee"  # 近期返京, red
    VISITOR = "visitor"  # 来访, pink


class HealthCode(StrEnum):
    """The risk a health code states (验码)."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


class Lamp(StrEnum):
    """What the lamp at the gate shows."""

    OFF = "off"
    RED = "red"
    YELLOW = "yellow"
    GREEN = "green"
