"""What is wrong with a policy value that a clerk gives, in words. The rules are the gates' own (`sync.contract.policy_keys`)."""

import json

import msgspec
from django.utils.translation import gettext as _

from sync.contract.policy_keys import FIXED, POLICY_KEYS
from sync.contract.policy_values import PolicyKey, nearest


def wrong_key(key: str) -> str:
    """What speaks against setting this key from here, "" for nothing."""
    if key in POLICY_KEYS:
        return ""
    if key in FIXED:
        return _("says how the place is built: it is set in the gate's own file alone")
    meant = nearest(key, [*POLICY_KEYS, *FIXED])
    if meant:
        return _("no gate knows this key. Did you mean %(key)s?") % {"key": meant}
    return _("no gate knows this key; docs/policy.md has them all")


def wrong_value(key: str, value: str) -> str:
    """What is wrong with a value of a known key, "" for nothing. `value`: as it was typed."""
    known = POLICY_KEYS[key]
    try:
        known.decode(value)
    except msgspec.ValidationError:
        return _("no gate takes this. It must be: %(what)s") % {"what": expected(known)}
    except (ValueError, RecursionError):
        return _("is no JSON (words stand in double quotes). It must be: %(what)s") % {"what": expected(known)}
    return ""


def expected(key: PolicyKey) -> str:
    """What a value may be."""
    one = _one(key)
    if not key.listed:
        return one
    if key.most is None:
        return _("a list in [ ], each entry %(what)s") % {"what": one}
    return _("a list in [ ] of at most %(most)s, each entry %(what)s") % {"most": key.most, "what": one}


def _one(key: PolicyKey) -> str:
    if key.choices:
        return _("one of %(words)s") % {"words": ", ".join(json.dumps(word) for word in key.choices)}
    if key.kind == "bool":
        return "true / false"
    if key.kind == "str":
        return _text(key)
    bounds = {"low": f"{key.low:g}", "high": f"{key.high:.7g}", "unit": key.unit}
    if key.kind == "int":
        return _("a whole number from %(low)s to %(high)s %(unit)s") % bounds
    return _("a number from %(low)s to %(high)s %(unit)s") % bounds


def _text(key: PolicyKey) -> str:
    if key.example:
        return _("text in double quotes such as %(example)s") % {"example": json.dumps(key.example)}
    if key.pattern:
        return _("text in double quotes of the form %(form)s") % {"form": key.pattern.strip("^").removesuffix(r"\Z")}
    if key.most and not key.listed:
        return _("text in double quotes, at most %(most)s characters") % {"most": key.most}
    return _("text in double quotes")
