"""OpenID Connect, authorization code with PKCE: what is asked of the organisation's sign-in and what it must answer.

The client is Krog's own because the five steps are short and every check must be seen; keys and signatures are PyJWT's
(docs/decisions/0015). Nothing here knows accounts; `identities` does.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import re
import secrets
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import jwt
from django.utils.translation import gettext as _

from krog.base.errors import Forbidden, Transient
from krog.base.settings import settings

#: Signatures that are taken: by a key pair. One made with the client's secret, or none, is refused.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
#: Seconds: by which clocks may differ, an answer is waited for, the provider's description is kept, keys are not asked
#: again; and the largest answer in bytes.
LEEWAY_S, WAIT_S, KEPT_S, AGAIN_S, LARGEST = 60, 8, 3600, 20, 300_000


@dataclass(frozen=True)
class Provider:
    """What the provider says about itself at its well-known address."""

    issuer: str
    authorization: str
    token: str
    keys: str
    userinfo: str
    logout: str
    by_post: bool


@dataclass(frozen=True)
class Begun:
    """A sign-in under way: where the browser goes, and what must come back. All but `url` stays on the server."""

    url: str
    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True)
class Claims:
    """Who the provider says it is; `verified` when it vouches for the e-mail address."""

    issuer: str
    subject: str
    email: str
    verified: bool
    name: str
    id_token: str


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """An answer that leads elsewhere is no answer."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirect, urllib.request.ProxyHandler())
_lock = threading.Lock()
_kept: dict[str, tuple[float, Any]] = {}


def forget() -> None:
    """Drops what this process knows of the provider."""
    with _lock:
        _kept.clear()


def configured() -> bool:
    """Whether officials can sign in through an organisation."""
    return bool(settings().oidc_issuer and settings().oidc_client)


def _silent(error: Exception | str) -> Transient:
    found = Transient(
        _("The sign-in of your organisation does not answer as it should."),
        todo=_("Try again in a few minutes. If it stays so, tell your administrator."),
        extra={"why": str(error)[:300]},
    )
    found.retry_after = 30
    return found


def _fetch(url: str, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None) -> Any:
    """The JSON object at an address; Transient when there is none."""
    if not _may_ask(url):
        raise _silent(f"{url} is neither https nor on this machine")
    data = urlencode(form).encode() if form is not None else None
    request = urllib.request.Request(url, data=data, headers={"Accept": "application/json", **(headers or {})})
    try:
        with _opener.open(request, timeout=WAIT_S) as answer:
            found = json.loads(answer.read(LARGEST + 1)[: LARGEST + 1])
    except urllib.error.HTTPError as error:
        error.close()
        raise _silent(error) from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise _silent(error) from error
    if not isinstance(found, dict):
        raise _silent("the answer is not an object")
    return found


def _may_ask(url: str) -> bool:
    """https; http on the same machine alone, for trying out."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1"))


def _keep(key: str, seconds: float, make: Any) -> Any:
    with _lock:
        found = _kept.get(key)
    if found and time.monotonic() - found[0] < seconds:
        return found[1]
    made = make()
    with _lock:
        _kept[key] = (time.monotonic(), made)
    return made


def provider() -> Provider:
    """The provider's description, read at most once an hour; it must call itself by the issuer of the settings."""
    issuer = settings().oidc_issuer.rstrip("/")

    def read() -> Provider:
        found = _fetch(f"{issuer}/.well-known/openid-configuration")
        if str(found.get("issuer", "")).rstrip("/") != issuer:
            raise _silent("the provider calls itself by another name than KROG_OIDC_ISSUER")
        methods = found.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        try:
            return Provider(
                issuer=found["issuer"],
                authorization=_address(found["authorization_endpoint"], needed=True),
                token=_address(found["token_endpoint"], needed=True),
                keys=_address(found["jwks_uri"], needed=True),
                userinfo=_address(found.get("userinfo_endpoint") or ""),
                logout=_address(found.get("end_session_endpoint") or ""),
                # Providers differ in how they read a secret in the header; in the form there is one way.
                by_post="client_secret_post" in methods,
            )
        except KeyError as missing:
            raise _silent(f"the provider does not say its {missing}") from None

    return _keep(f"provider:{issuer}", KEPT_S, read)  # type: ignore[no-any-return]


def _address(url: object, *, needed: bool = False) -> str:
    if (url or needed) and not _may_ask(str(url)):
        raise _silent(f"{url} is neither https nor on this machine")
    return str(url)


def begin(redirect: str) -> Begun:
    """Where the browser goes to sign in, with a state, a nonce and a PKCE verifier that only this server knows."""
    found = provider()
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "response_type": "code", "client_id": settings().oidc_client, "redirect_uri": redirect,
        "scope": "openid email profile", "state": state, "nonce": nonce, "code_challenge": challenge,
        "code_challenge_method": "S256",
    }  # fmt: skip
    mark = "&" if "?" in found.authorization else "?"
    return Begun(found.authorization + mark + urlencode(asked), state, nonce, verifier)


def finish(code: str, begun: Begun, redirect: str) -> Claims:
    """Exchanges the code for the token and checks it: signature, issuer, audience, times, nonce. Forbidden for anything
    that is not right, Transient where the provider does not answer."""
    found = provider()
    client, secret = settings().oidc_client, settings().oidc_secret
    form = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": redirect, "code_verifier": begun.verifier,
    }  # fmt: skip
    headers = {}
    if found.by_post or not secret:
        form |= {"client_id": client} | ({"client_secret": secret} if secret else {})
    else:
        pair = f"{quote(client, safe='')}:{quote(secret, safe='')}"
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    try:
        answer = _fetch(found.token, form, headers)
    except Transient as error:
        if isinstance(error.__cause__, urllib.error.HTTPError) and error.__cause__.code in (400, 401, 403):
            raise refused("the provider refused the code") from None
        raise
    token = answer.get("id_token")
    if not isinstance(token, str):
        raise refused("there is no token about the person")
    said = verified(token, found)
    if not hmac.compare_digest(str(said.get("nonce", "")).encode(), begun.nonce.encode()):
        raise refused("the token was made for another sign-in")
    if "email" not in said and found.userinfo and answer.get("access_token"):
        more = _fetch(found.userinfo, headers={"Authorization": f"Bearer {answer['access_token']}"})
        if more.get("sub") != said["sub"]:
            raise refused("the provider speaks of two people")
        said = {**more, **said}
    email = said.get("email")
    return Claims(
        issuer=found.issuer,
        subject=said["sub"],
        email=email.strip().lower()[:254] if isinstance(email, str) else "",
        verified=said.get("email_verified") in (True, "true"),
        name=" ".join(str(said.get("name") or "").replace("\x00", "").split())[:200],
        id_token=token,
    )


def refused(why: str) -> Forbidden:
    """A sign-in that is not right: the person begins anew, the reason is for the log."""
    return Forbidden(
        _("The sign-in through your organisation could not be completed."),
        todo=_("Begin again from the sign-in page."),
        extra={"why": why},
    )


def verified(token: str, found: Provider, *, needs: tuple[str, ...] = ("exp", "iat", "sub")) -> dict[str, Any]:
    """The claims of a token that this provider signed for this client and that is in its time; else Forbidden."""
    client = settings().oidc_client
    try:
        said = jwt.decode(
            token,
            _key(token, found),
            algorithms=list(ALGORITHMS),
            audience=client,
            issuer=found.issuer,
            leeway=LEEWAY_S,
            options={"require": ["iss", "aud", *needs]},
        )
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError) as error:
        raise refused(f"{type(error).__name__}: {error}") from None
    audience = said["aud"]
    if ("azp" in said or (isinstance(audience, list) and len(audience) > 1)) and said.get("azp") != client:
        raise refused("the token was issued to another client")
    if not isinstance(said.get("sub", "-"), str) or not re.fullmatch(r"[^\x00]{1,255}", said.get("sub", "-")):
        raise refused("the subject is not of the allowed form")
    return said


def _key(token: str, found: Provider) -> jwt.PyJWK:
    """The provider's key that a token names. Keys are read again when an unknown one is named, but not often: tokens of
    strangers must not make Krog ask the provider."""
    header = jwt.get_unverified_header(token)
    if header.get("alg") not in ALGORITHMS:
        raise refused(f"the signature {header.get('alg')!r} is not taken")
    for oldest in (KEPT_S, AGAIN_S):
        keys = _keep(f"keys:{found.keys}", oldest, lambda: _fetch(found.keys)).get("keys", [])
        fitting = [
            each for each in keys
            if isinstance(each, dict) and each.get("use", "sig") == "sig" and each.get("kty") in ("RSA", "EC", "OKP")
            and ("kid" not in header or each.get("kid") == header["kid"])
        ]  # fmt: skip
        if len(fitting) == 1 or (fitting and "kid" in header):
            return jwt.PyJWK(fitting[0], algorithm=header["alg"])
    raise refused("the key of the signature is not known")


def logout_address(id_token: str, back: str) -> str:
    """Where the browser goes to be signed out at the organisation as well; "" where it has no such address."""
    found = provider()
    if not found.logout:
        return ""
    asked = {"id_token_hint": id_token, "client_id": settings().oidc_client, "post_logout_redirect_uri": back}
    return found.logout + ("&" if "?" in found.logout else "?") + urlencode(asked)


def signed_out(token: str) -> str:
    """The subject that the provider says has signed out or was shut out (back-channel logout 1.0)."""
    said = verified(token, provider(), needs=("iat", "sub"))
    events = said.get("events")
    if not isinstance(events, dict) or LOGOUT_EVENT not in events or "nonce" in said:
        raise refused("this is not a logout token")
    if abs(time.time() - float(said["iat"])) > 300:
        raise refused("the logout token is old")
    return str(said["sub"])
