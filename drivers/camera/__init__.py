"""The camera: capture and decoders in a process of their own, and the device that keeps that process running."""
