"""A child process that does what it is told, also what no child should. Run as `python -m tests.drivers.puppet`."""

import signal
import socket
import sys
import threading


def _babble(connection: socket.socket, said: threading.Event) -> None:
    while not said.wait(0.05):
        connection.send(b"still here")


def main() -> None:
    """Obey until the connection closes."""
    connection = socket.socket(fileno=0)
    while packet := connection.recv(65536):
        order, _, rest = packet.decode().partition(" ")
        match order:
            case "say":
                connection.send(rest.encode())
            case "exit":
                sys.exit(int(rest))
            case "hang":
                while True:
                    signal.pause()
            case "deaf":  # alive, but it reads no more
                _babble(connection, threading.Event())
            case "cling":  # does not end with its connection
                connection.send(b"clinging")
                connection.detach()
                while True:
                    signal.pause()


if __name__ == "__main__":
    main()
