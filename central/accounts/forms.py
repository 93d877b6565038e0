"""Login."""

from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from central.accounts.throttle import must_wait


class LoginForm(AuthenticationForm):
    """Django's login, but slow to guess at."""

    def clean(self) -> dict[str, object]:
        """Refuse without looking at the password while the name has to wait."""
        if must_wait(str(self.cleaned_data.get("username", ""))):
            raise ValidationError(_("Too many attempts. Please wait two minutes and try again."), code="throttled")
        return super().clean()
