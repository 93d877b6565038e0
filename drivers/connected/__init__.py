"""What is connected to this machine, as the kernel tells: nothing is opened, and nothing is sent."""

from drivers.connected.buses import gpio_chips, i2c_buses, scan
from drivers.connected.look import look
from drivers.connected.row import Kind, Row
from drivers.connected.system import System

__all__ = ["Kind", "Row", "System", "gpio_chips", "i2c_buses", "look", "scan"]
