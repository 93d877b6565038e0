"""Who may log in."""

import secrets

from django.contrib.auth.models import AbstractUser
from django.db import models

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that is mistaken for something else when read aloud


class User(AbstractUser):
    """A clerk. A password that somebody else generated must be changed before anything else is seen."""

    must_change_password = models.BooleanField(default=False)


def one_time_password() -> str:
    """Four groups of four characters: 79 bits, easy to type from a screen."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(4))
    return "-".join(groups)


def give_one_time_password(name: str) -> str:
    """Create the user `name`, or reset an existing one: the returned password is good for one login."""
    password = one_time_password()
    user, _ = User.objects.get_or_create(username=name)
    user.set_password(password)
    user.must_change_password = True
    user.is_active = True
    user.save()
    return password
