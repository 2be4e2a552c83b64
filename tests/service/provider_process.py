"""A real OpenID Connect provider (django-allauth's) on loopback, in a process of its own; the tests start it.

usage: provider_process.py PORT FOLDER REDIRECT_URI BACK_URI; prints `ready` when it answers.
"""

from __future__ import annotations

import sys
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

PASSWORD = "a long enough one"
#: Who is known there: name -> (e-mail address, whether it was verified).
PEOPLE = {
    "ana": ("Ana@Example.org", True),
    "bor": ("bor@example.org", True),
    "eva": ("eva@example.org", False),
    "new": ("nova.oseba@example.org", True),
}
CLIENT, SECRET = "krog", "a secret between the two"


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def _private_key() -> str:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pkcs8, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, pkcs8, plain).decode()


def configure(folder: Path) -> None:
    from django.conf import settings

    settings.configure(
        SECRET_KEY="only for this test",
        DEBUG=False,
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF=__name__,
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": folder / "provider.sqlite"}},
        INSTALLED_APPS=[
            "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "django.contrib.messages",
            "allauth", "allauth.account", "allauth.idp.oidc",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware", "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware", "allauth.account.middleware.AccountMiddleware",
        ],
        TEMPLATES=[{
            "BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True,
            "OPTIONS": {"context_processors": ["django.template.context_processors.request",
                                               "django.contrib.messages.context_processors.messages"]},
        }],
        AUTHENTICATION_BACKENDS=["allauth.account.auth_backends.AuthenticationBackend"],
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        ACCOUNT_EMAIL_VERIFICATION="none",
        ACCOUNT_RATE_LIMITS=False,
        SESSION_COOKIE_NAME="provider",
        CSRF_COOKIE_NAME="provider_csrf",
        IDP_OIDC_PRIVATE_KEY=_private_key(),
        IDP_OIDC_RATE_LIMITS=False,
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    )  # fmt: skip


def fill(redirect: str, back: str) -> None:
    from allauth.account.models import EmailAddress
    from allauth.idp.oidc.models import Client
    from django.contrib.auth.hashers import make_password
    from django.contrib.auth.models import User
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    for name, (email, verified) in PEOPLE.items():
        user = User.objects.create_user(name, email, PASSWORD, first_name=name.title(), last_name="Novak")
        EmailAddress.objects.create(user=user, email=email, verified=verified, primary=True)
    Client.objects.create(
        id=CLIENT, name="Krog", secret=make_password(SECRET), scopes="openid\nemail\nprofile", skip_consent=True,
        redirect_uris=f"{redirect}\n{back}", response_types="code",
    )  # fmt: skip


def main() -> None:
    port, folder, redirect, back = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4]
    configure(folder)
    import django

    django.setup()
    from django.core.wsgi import get_wsgi_application
    from django.urls import include, path

    global urlpatterns
    urlpatterns = [path("accounts/", include("allauth.account.urls")), path("", include("allauth.idp.urls"))]
    fill(redirect, back)
    server = make_server("127.0.0.1", port, get_wsgi_application(), _Server, _Quiet)
    print("ready", flush=True)
    server.serve_forever()


urlpatterns: list[object] = []

if __name__ == "__main__":
    main()
