"""Django's settings for the office, taken from a few environment variables.

MENSHEN_OFFICE_DIR       data folder: database, secret key (default ./var/office)
MENSHEN_OFFICE_DATABASE  postgresql://USER:PASSWORD@HOST/DATABASE; nothing (default) = SQLite, a file in the data folder
MENSHEN_OFFICE_HOSTS     host names and addresses it answers to beside loopback, separated by commas
MENSHEN_OFFICE_HTTPS     1 = it is reached over HTTPS only (behind a TLS proxy): secure cookies
MENSHEN_OFFICE_TZ        time zone of the pages (default Asia/Shanghai)
MENSHEN_OFFICE_ADMIT     manual (default) = a clerk admits a gate seen for the first time; auto = taken at once
MENSHEN_OFFICE_CLOCKS    real (default); scripted = the gates play a day by a script, whose times are shown as they are (the demo)
MENSHEN_OFFICE_REST_H    hours of rest that a guard has between two shifts (default 11, docs/duty.md); 0 = nothing is told of it
MENSHEN_LOG              log level (default INFO)

Importing this module creates nothing: the secret key is read, or made, when it is first used.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from central.database import office_database
from central.home import secret_key

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from central.broker_options import Broker

_HERE = Path(__file__).resolve().parent
_HTTPS = os.environ.get("MENSHEN_OFFICE_HTTPS", "") == "1"
_EXTRA_HOSTS = [host.strip() for host in os.environ.get("MENSHEN_OFFICE_HOSTS", "").split(",") if host.strip()]

SECRET_KEY = cast(str, SimpleLazyObject(secret_key))
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]", *_EXTRA_HOSTS]
ADMIT_GATES = os.environ.get("MENSHEN_OFFICE_ADMIT", "manual")
GUARDS_REST = os.environ.get("MENSHEN_OFFICE_REST_H", "11")
GUARDS_REST_H = (
    int(GUARDS_REST) if GUARDS_REST in map(str, range(25)) else 11
)  # `menshen office check` tells of another one
COMMAND_ROAD: "tuple[Broker, Ed25519PrivateKey] | None" = None  # by `menshen office serve --broker …`
SCRIPTED_CLOCKS = os.environ.get("MENSHEN_OFFICE_CLOCKS", "real") == "scripted"

INSTALLED_APPS = [
    "central.web",  # its templates come before the admin's own
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "central.accounts",
    "central.registry",
    "central.ingest",
    "central.entries",
    "central.alarms",
    "central.orders",
    "central.directory",
    "central.holders",
    "central.bookings",
    "central.visitors",
    "central.duty",
    "central.drills",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "central.web.middleware.ContentSecurityPolicy",
    "central.web.middleware.NeverKept",
    "central.visitors.middleware.SmallForms",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "central.web.middleware.HtmxLoginRedirect",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "central.accounts.middleware.PasswordChangeRequired",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "central.urls"
WSGI_APPLICATION = "central.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

DATABASES: dict[str, dict[str, Any]] = {"default": office_database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "entries"
LOGOUT_REDIRECT_URL = "login"

SESSION_COOKIE_AGE = 12 * 3600  # one shift
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = _HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_COOKIE_SECURE = _HTTPS
CSRF_FAILURE_VIEW = "central.visitors.public.forged"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _HTTPS else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024

LANGUAGE_CODE = "en"
LANGUAGES = [("zh-hans", _("Chinese")), ("en", _("English"))]
LOCALE_PATHS = [_HERE / "locale"]
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = _HTTPS
TIME_ZONE = os.environ.get("MENSHEN_OFFICE_TZ", "Asia/Shanghai")
USE_TZ = True

STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True  # served from the packages themselves: there is no step to forget
WHITENOISE_AUTOREFRESH = False

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": os.environ.get("MENSHEN_LOG", "INFO")},
    "loggers": {"django.server": {"level": "WARNING"}},
}
