"""Who is taken in."""

from central.registry.models import Gate


def admit(gate_id: str, name: str | None, site: str | None = None) -> bool:
    """Take the gate's records from now on, whether or not it was heard of; `name` and `site` are kept where they are None.
    Returns whether it is new here."""
    gate, created = Gate.objects.get_or_create(pk=gate_id)
    gate.admitted = True
    gate.name = gate.name if name is None else name
    gate.site = gate.site if site is None else site
    gate.save(update_fields=["admitted", "name", "site"])
    return created
