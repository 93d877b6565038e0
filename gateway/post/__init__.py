"""The guard post: a program where the guard sits, which follows the gates of its site without the office."""
