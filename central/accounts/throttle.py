"""Guessing passwords is made slow: after five failures for one name, that name waits."""

from collections.abc import Mapping

from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.core.cache import cache

FAILURES = 5
WAIT_S = 120


def _key(name: str) -> str:
    return "login-failures:" + name.lower()[:150].encode().hex()


def must_wait(name: str) -> bool:
    """Whether logins of `name` are refused for now."""
    return int(cache.get(_key(name), 0)) >= FAILURES


def _failed(credentials: Mapping[str, object], **_: object) -> None:
    key = _key(str(credentials.get("username", "")))
    cache.add(key, 0, WAIT_S)
    cache.incr(key)


def _succeeded(user: object, **_: object) -> None:
    cache.delete(_key(str(getattr(user, "username", ""))))


def connect() -> None:
    """Listen to Django's login signals."""
    user_login_failed.connect(_failed, dispatch_uid="menshen-throttle-failed")
    user_logged_in.connect(_succeeded, dispatch_uid="menshen-throttle-succeeded")
