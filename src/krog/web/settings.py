"""Django's settings, made from the one table of Krog's settings (krog.base.settings)."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from krog.base.settings import settings

_krog = settings()
_here = Path(__file__).parent

SECRET_KEY = _krog.secret
DEBUG = _krog.debug
_host = urlsplit(_krog.url).hostname or "localhost"
ALLOWED_HOSTS = [_host, "localhost", "127.0.0.1", "[::1]"]
CSRF_TRUSTED_ORIGINS = [_krog.url]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _krog.url.startswith("https:")
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 12 * 3600
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

NOUNS = ["people", "catalogue", "streams", "registers", "indicators", "plans", "rules", "cases", "voice"]
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_cotton.apps.SimpleAppConfig",
    "django_htmx",
    "krog.journal",
    *[f"krog.{noun}" for noun in NOUNS],
    "krog.search",
    "krog.uploads",
    "krog.web",
]
AUTH_USER_MODEL = "people.Account"
AUTHENTICATION_BACKENDS = ["krog.people.backend.AccountBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
MIDDLEWARE = [
    "django.middleware.gzip.GZipMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "krog.web.middleware.language",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "krog.web.middleware.reader",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "krog.web.middleware.security_headers",
    "krog.web.usage.downloads",
    "krog.web.middleware.problems",
]
ROOT_URLCONF = "krog.web.urls"
WSGI_APPLICATION = "krog.web.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [_here / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
                "krog.web.context.shell",
            ],
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    ["django_cotton.cotton_loader.Loader", "django.template.loaders.filesystem.Loader"],
                )
            ],
            "builtins": ["django_cotton.templatetags.cotton"],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.DjangoTemplates"


def database(url: str) -> dict[str, Any]:
    """Django's form of KROG_DATABASE. SQLite: WAL, immediate transactions, 30 s wait (docs/decisions/0004)."""
    if url.startswith("sqlite:"):
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": url.removeprefix("sqlite:"),
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 30,
                "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA foreign_keys=ON;"
                "PRAGMA cache_size=-16000;",
            },
        }
    parts = urlsplit(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or dict(parse_qsl(parts.query)).get("host", ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": {"pool": {"min_size": 1, "max_size": 8}},
    }


DATABASES = {"default": database(_krog.database)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SESSION_ENGINE = "django.contrib.sessions.backends.db"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
# The counters of attempts live here: Django's 300 entries could be pushed out by whoever tries many names.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 50_000}}}

USE_TZ = True
TIME_ZONE = _krog.timezone
USE_I18N = True
LANGUAGE_CODE = "sl"
LANGUAGES = [("sl", "Slovenščina"), ("it", "Italiano"), ("en", "English")]
LOCALE_PATHS = sorted(path for path in (_here / "texts").glob("*") if path.is_dir())
FORMAT_MODULE_PATH = ["krog.web.formats"]
USE_THOUSAND_SEPARATOR = True

CSRF_FAILURE_VIEW = "krog.web.problems.csrf_failure"
STATIC_URL = "/static/"
STATICFILES_DIRS = [_here / "static"]
STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
FILE_UPLOAD_MAX_MEMORY_SIZE = 2_500_000
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]
WHITENOISE_USE_FINDERS = True
# Pages name their files with a mark of the content, so that these may stay for a year.
WHITENOISE_MAX_AGE = 365 * 86400
COTTON_DIR = "cotton"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "krog": {"level": "INFO"},
        "django.request": {"level": "ERROR"},
        # Whoever scans the city sends wrong hosts and bodies by the thousand; they are refused, and fill no log.
        "django.security": {"level": "CRITICAL"},
        "django.security.csrf": {"level": "WARNING"},
        "django.security.DisallowedRedirect": {"level": "ERROR"},
    },
}
