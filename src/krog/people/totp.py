"""Time-based one-time codes (RFC 6238: SHA-1, six digits, 30 seconds), as every authenticator app makes them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import struct
from urllib.parse import quote, urlencode

STEP_S, DIGITS = 30, 6
#: Steps by which the clocks of phone and server may differ.
DRIFT = 1


def new_secret() -> str:
    """160 random bits in Base32, without padding."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def code(secret: str, step: int) -> str:
    """The code of one step (seconds since 1970 // 30)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", step), hashlib.sha1).digest()
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def matching_step(secret: str, given: str, now_s: int, after: int) -> int | None:
    """The step whose code was given, if it is near now and later than `after` (a code is good once); else None."""
    given = "".join(given.split())
    if len(given) != DIGITS or not (given.isascii() and given.isdigit()):
        return None
    found = None
    for step in range(now_s // STEP_S - DRIFT, now_s // STEP_S + DRIFT + 1):
        # All are compared, so that the time of the answer does not tell which.
        if hmac.compare_digest(code(secret, step), given) and step > after:
            found = step
    return found


def address(secret: str, account: str, issuer: str) -> str:
    """The otpauth address that an app reads from the QR code."""
    label = quote(f"{issuer}:{account}", safe="")
    return f"otpauth://totp/{label}?" + urlencode({"secret": secret, "issuer": issuer}, quote_via=quote)
