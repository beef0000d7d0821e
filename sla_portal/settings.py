"""The one settings file. Values come from the environment (listed in `environment.py`); a wrong one stops the start."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import django_stubs_ext
import environ
from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from monitoring.probe import link as probe_link
from sla_portal import environment, sockets

django_stubs_ext.monkeypatch()  # lets `QuerySet["Client"]` and the like be written

BASE_DIR = environment.BASE_DIR
DATA_DIR = environment.folder("DATA_DIR")
DEBUG = environment.flag("DEBUG")
PORT = environment.port("PORT")
BASE_URL = environment.url("BASE_URL", "http", "https", default=f"http://127.0.0.1:{PORT}").rstrip("/")
ALLOWED_HOSTS = ["127.0.0.1", "localhost", urlsplit(BASE_URL).hostname or "", *environment.words("ALLOWED_HOSTS")]

_database_url = environment.url("DATABASE_URL", "postgres", "postgresql", default=sockets.postgres_url(DATA_DIR))
_given_servers = bool(environment.text("DATABASE_URL"))
SECRET_KEY = environment.secret_key(DATA_DIR / "run" / "secret_key", required=_given_servers)
_embedded_owner = "" if _given_servers else sockets.owner_url(DATA_DIR)
_owner_url = environment.url("MIGRATE_DATABASE_URL", "postgres", "postgresql", default=_embedded_owner)
OWNER_DATABASE: dict[str, Any] = environ.Env.db_url_config(_owner_url) if _owner_url else {}
"""For `migrate` and `roles` only (sla_portal/database.py)."""
DATABASES: dict[str, dict[str, Any]] = {
    "default": {**environ.Env.db_url_config(_database_url), "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
}
REDIS_URL = environment.broker("REDIS_URL", default=sockets.valkey_url(DATA_DIR))
BROKER_CA_FILE = environment.text("BROKER_CA_FILE")
# Django's caches unpickle what they read: whoever writes to the broker would run code here
CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}

# The rooms, highest first, then what they stand on
INSTALLED_APPS = [
    "sla_portal",
    "reports",
    "monitoring",
    "incidents",
    "contracts",
    "accounts",
    "messaging",
    "wording",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "axes",
    "csp",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]
MIDDLEWARE = [
    "sla_portal.request_id.RequestIdMiddleware",
    "sla_portal.odd_requests.OddRequestMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.private.PrivateMiddleware",
    "sla_portal.language.LanguageMiddleware",
    "sla_portal.odd_requests.SizeMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "accounts.expired.ExpiredMiddleware",
    "axes.middleware.AxesMiddleware",
    "accounts.allowances.AllowanceMiddleware",
]
ROOT_URLCONF = "sla_portal.urls"
WSGI_APPLICATION = "sla_portal.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "sla_portal.language.provider",
                "accounts.context_processors.portal",
                "sla_portal.counts.menu_counts",
                "incidents.notices.unheard.bar_of_page",
            ],
        },
    }
]

# People and sign-in
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "accounts.passwords.EndsTokens"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
SESSION_COOKIE_AGE = 12 * 3600  # staff; the login view lengthens it to 30 days for clients
AXES_CLIENT_IP_CALLABLE = "accounts.addresses.client_address"
AXES_HANDLER = "accounts.attempts.Attempts"
AXES_LOCKOUT_CALLABLE = "accounts.attempts.locked_out"
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
AXES_USERNAME_FORM_FIELD = "username"

# What one person, token and client may do: see accounts/allowances.py
LIMIT_REPORTS = environment.rate("LIMIT_REPORTS")
LIMIT_ACTS = environment.rate("LIMIT_ACTS")
LIMIT_READS = environment.rate("LIMIT_READS")

# Languages and time: stored and computed in UTC, read by people in Warsaw
LANGUAGE_CODE = "pl"
LANGUAGES = [("pl", _("Polish")), ("en", _("English"))]
LANGUAGE_COOKIE_NAME = "language"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LOCALE_PATHS = [BASE_DIR / "sla_portal" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
DISPLAY_TIME_ZONE = "Europe/Warsaw"

# Safety of pages
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "base-uri": [NONE],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}
_https = BASE_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = _https
SECURE_REDIRECT_EXEMPT = [r"^(health/|healthz|readyz)$"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if _https else 0
TRUST_PROXY = environment.proxies("TRUST_PROXY")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUST_PROXY else None
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "accounts.expired.csrf_failure"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2**20  # of a whole request; the longest form of ours has 60 kB
CSRF_TRUSTED_ORIGINS = [BASE_URL]
X_FRAME_OPTIONS = "DENY"

# Static files: ours, and the few npm files that `npm_files.py` names
STATIC_URL = "/static/"
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "sla_portal.npm_files.NpmFinder",
]
_hashed = environment.flag("STATIC_HASHED")
STATIC_ROOT = environment.folder("STATIC_ROOT") if _hashed else None
WHITENOISE_USE_FINDERS = not _hashed
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if _hashed
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# Ways out
_mail = environ.Env.email_url_config(
    environment.url("EMAIL_URL", "smtp", "smtp+tls", "smtps", "smtp+ssl", default=f"smtp://127.0.0.1:{PORT + 2}")
)
EMAIL_BACKEND = _mail["EMAIL_BACKEND"]
EMAIL_HOST, EMAIL_PORT = _mail["EMAIL_HOST"], _mail["EMAIL_PORT"]
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail["EMAIL_HOST_USER"], _mail["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS, EMAIL_USE_SSL = _mail.get("EMAIL_USE_TLS", False), _mail.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 10  # seconds one wait of a conversation may take; `messaging.time_limit` ends the whole of it
DEFAULT_FROM_EMAIL = SERVER_EMAIL = environment.text("EMAIL_FROM")
GATEWAY_URL = environment.url("GATEWAY_URL", "http", "https", default=f"http://127.0.0.1:{PORT + 1}/gateway")
GATEWAY_TOKEN = environment.text("GATEWAY_TOKEN")
ANCHOR_ADDRESS = environment.addresses("ANCHOR_ADDRESS")
KEEP_ATTEMPTS_DAYS = environment.days("KEEP_ATTEMPTS_DAYS", 7)
KEEP_KEYS_DAYS = environment.days("KEEP_KEYS_DAYS", 7)
KEEP_LETTERS_DAYS = environment.days("KEEP_LETTERS_DAYS", 30)
BACKUP_HOURS = environment.hours("BACKUP_HOURS")
READY_TOKEN = environment.text("READY_TOKEN")
PROVIDER_NAME = environment.text("PROVIDER_NAME")
DUTY_PHONE = environment.text("DUTY_PHONE")
PROBE_PLACES = environment.places("PROBE_PLACES")
PROBE_ALLOW_NETWORKS = environment.networks("PROBE_ALLOW_NETWORKS")
PROBE_PORTS = environment.ports("PROBE_PORTS")
PROBE_CANARIES = environment.canaries("PROBE_CANARIES")
DEMO_DATA = environment.flag("DEMO_DATA")
DEMO_SHOPS_URL = environment.url("DEMO_SHOPS_URL", "http", default=f"http://127.0.0.1:{PORT + 3}")
DEMO_LOGINS_FILE = DATA_DIR / "run" / "demo_logins.json"

# The API
REST_FRAMEWORK = {
    # Token before session: its WWW-Authenticate header makes an anonymous call a 401 instead of a 403
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.tokens.PersonToken",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_THROTTLE_CLASSES": ["accounts.throttle.Throttle"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["accounts.json_body.JSONBody"],
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.LimitOffsetPagination",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "PAGE_SIZE": 100,
    "EXCEPTION_HANDLER": "wording.api_refusals.answer",
}
REST_KNOX = {"TOKEN_TTL": timedelta(days=365), "AUTO_REFRESH": False, "TOKEN_PREFIX": "sla_"}
SPECTACULAR_SETTINGS = {
    "TITLE": "sla_portal",
    "DESCRIPTION": "Report, list, read and act on incidents.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# Work in the background. What is due stands in rows; beat only says "look now", so a lost tick loses nothing
CELERY_BROKER_URL = sockets.broker_url(REDIS_URL)
CELERY_BROKER_USE_SSL = probe_link.tls_options(REDIS_URL, BROKER_CA_FILE) or None
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_DEFAULT_QUEUE = "report"
WORKED_FILE = environment.text("WORKED_FILE")
CELERY_TASK_ROUTES = {
    "accounts.tasks.forget": {"queue": "report"},
    "accounts.tasks.*": {"queue": "mail"},
    "incidents.tasks.sweep_clocks": {"queue": "clock"},
    "incidents.tasks.send_calls": {"queue": "calls"},
    "incidents.tasks.forget": {"queue": "report"},
    "incidents.tasks.*": {"queue": "mail"},
    "monitoring.tasks.forget_checks": {"queue": "report"},
    "monitoring.tasks.*": {"queue": "monitor"},
    "reports.tasks.*": {"queue": "report"},
}
CELERY_BEAT_SCHEDULE = {
    # `expires` counts by beat's clock: ten seconds forgive a difference between two machines' clocks
    "clocks": {"task": "incidents.tasks.sweep_clocks", "schedule": 1.0, "options": {"expires": 10}},
    "mail": {"task": "incidents.tasks.send_mail", "schedule": 2.0, "options": {"expires": 10}},
    "letters": {"task": "accounts.tasks.send_letters", "schedule": 2.0, "options": {"expires": 10}},
    "sign-in": {"task": "accounts.tasks.forget", "schedule": 3600.0, "options": {"expires": 3600}},
    "calls": {"task": "incidents.tasks.send_calls", "schedule": 2.0, "options": {"expires": 10}},
    "checks": {"task": "monitoring.tasks.sweep_checks", "schedule": 1.0, "options": {"expires": 10}},
    # Only so that the health check sees the lane of the rare work take something
    "reports": {"task": "sla_portal.tick", "schedule": 30.0, "options": {"queue": "report", "expires": 60}},
    "results": {"task": "monitoring.tasks.take_results", "schedule": 1.0, "options": {"expires": 10}},
    "probes": {"task": "monitoring.tasks.greet_probes", "schedule": 20.0, "options": {"expires": 60}},
    "missed": {"task": "monitoring.tasks.sweep_missed", "schedule": 30.0, "options": {"expires": 60}},
    # Each minute only asks whether the local day has its anchor, so a day that began without us gets it late, not never
    "anchor": {"task": "reports.tasks.make_anchor", "schedule": 60.0, "options": {"expires": 120}},
    "old-letters": {
        "task": "incidents.tasks.forget",
        "schedule": crontab(hour="2", minute="40"),
        "options": {"expires": 6 * 3600},
    },
    "retention": {
        "task": "monitoring.tasks.forget_checks",
        "schedule": crontab(hour="2", minute="20"),  # UTC: night at all our shops
        "options": {"expires": 6 * 3600},
    },
}
CELERY_BEAT_SYNC_EVERY = 60  # tasks sent between two writes of beat's file

LOGGING_CONFIG = "sla_portal.request_id.configure_logging"
LOGGING = {"level": "DEBUG" if DEBUG else "INFO"}
