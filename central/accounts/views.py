"""Log in, log out, change the password."""

from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.views import LoginView as DjangoLoginView
from django.contrib.auth.views import PasswordChangeView as DjangoPasswordChangeView
from django.http import HttpResponse
from django.urls import reverse_lazy

from central.accounts.forms import LoginForm


class LoginView(DjangoLoginView):
    """The login page."""

    template_name = "login.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True


class PasswordView(DjangoPasswordChangeView):
    """Change the password; asked for once after a one-time password."""

    template_name = "password.html"
    success_url = reverse_lazy("entries")

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        """Save; from now on the password is the user's own."""
        form.user.must_change_password = False  # saved with the password
        return super().form_valid(form)
