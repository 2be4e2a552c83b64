"""What an attacker sends: words for addresses and forms, bodies, files, and a client that follows no rules."""

from __future__ import annotations

import http.client
import io
import json
import re
import socket
import struct
import time
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlencode

from PIL import Image

#: An answer that takes longer hangs.
HANGS_S = 10.0
#: Words for every place of an address and every field of a form.
WORDS = (
    "' OR 1=1 --", "'; DROP TABLE people_account; --", "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)", "\x00", "a\x00b", "../../../../etc/passwd", "..\\..\\x", "A" * 5000, "č" * 2000,
    "\U0001f4a9", "\u202e", "\ud800", "²", "١٢", "-1", "0", "1", "1.5", "9" * 25, "9" * 5000, "9223372036854775807",
    "9223372036854775808", "-9223372036854775809", "2147483648", "1e400", "nan", "inf", "-inf", "true", "[]", "{}",
    "0000-00-00", "9999-99-99", "2026-02-30", "99999-01-01", "9999-12-31", "0001-01-01", "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-13", "0000", "9999", "\r\nX-Evil: 1", "{{7*7}}",
    "{% load krog %}", "${7*7}", "%s%n", "%", "\\", "'", '"', "`", ";", "~", "a:b~c", "//evil.example/",
    "https://evil.example/", "-180,-90,180,90", "nan,nan,nan,nan", "1e308,1e308,1e309,1e309", ",", ",,,", "newest",
)  # fmt: skip
#: The same as they stand in an address, and what cannot be said in words.
ESCAPED = (
    *(quote(word.encode("utf-8", "surrogatepass"), safe="") for word in WORDS),
    "%00", "%ff%fe", "%ed%a0%80", "%c0%ae%c0%ae/", "%", "%zz", "%u0041", "%0d%0aX-Evil:%201", "%252e%252e%252f",
    "..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/", "%2500", "//", "/./", "A" * 30_000,
)  # fmt: skip
#: Keys of the demo city, so that hostile words come behind real ones.
KEYS = (
    "mlaka-inflow", "mlaka-zone", "mlaka-points", "night-losses", "k3.1", "tus-2030", "u3.2.4", "street-lamp",
    "tus-prenova", "mlaka-water", "night-flow", "mlaka-pri-kranju", "environment", "people.account", "journal.mail",
    "1", "privacy",
)  # fmt: skip

_WEB = Path(__file__).parents[1] / "src" / "krog" / "web"


@dataclass(frozen=True)
class Answer:
    """What came back; status 0 when nothing did."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    seconds: float = 0.0
    asked: str = ""

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def json(self) -> object:
        return json.loads(self.body)

    def wrong(self) -> str:
        """What no answer may be, in words; "" when all is well."""
        kind = self.headers.get("content-type", "")
        if self.status == 0 or self.status >= 500:
            return f"{self.asked[:300]}: {self.status} {self.text[:120]}"
        if self.seconds > HANGS_S:
            return f"{self.asked[:300]}: took {self.seconds:.1f} s"
        if "html" in kind and ("<script>alert" in self.text or "<img src=x" in self.text):
            return f"{self.asked[:300]}: gives the script back unescaped"
        if "x-evil" in self.headers or re.match(r"[\\/]{2}|\w+:.*evil", self.headers.get("location", "")):
            return f"{self.asked[:300]}: {self.headers}"
        return ""


class Client:
    """Asks anything; keeps cookies; comes from an address of its own, since some doors count by address."""

    def __init__(self, port: int, source: str = "127.0.0.1"):
        self.port, self.source = port, source
        self.cookies: dict[str, str] = {}

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        kind: str = "",
        headers: dict[str, str] | None = None,
    ) -> Answer:
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.port, timeout=HANGS_S + 2, source_address=(self.source, 0)
        )
        connection._validate_path = lambda _: None  # type: ignore[attr-defined]
        sent = {"Host": f"127.0.0.1:{self.port}", **(headers or {})}
        if self.cookies and "Cookie" not in sent:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if kind:
            sent["Content-Type"] = kind
        if body is not None:
            sent.setdefault("Content-Length", str(len(body)))
        began = time.monotonic()
        asked = f"{method} {path}"
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in sent.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            found = answer.read()
            for cookie in answer.headers.get_all("Set-Cookie", []):
                name, _, value = cookie.split(";")[0].partition("=")
                self.cookies[name] = value
            known = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, known, found, time.monotonic() - began, asked)
        except (OSError, http.client.HTTPException) as error:
            return Answer(0, body=repr(error).encode(), seconds=time.monotonic() - began, asked=asked)
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def form(
        self, path: str, *, fields: dict[str, str], files: dict[str, bytes] | None = None, page: str = ""
    ) -> Answer:
        """Sends a form as a browser would: with the token of its page, as multipart where there is a file."""
        shown = self.get(page or path)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', shown.text)
        given = {"csrfmiddlewaretoken": token[1] if token else "", **fields}
        if not files:
            body = urlencode(given, errors="surrogatepass").encode()
            return self.ask("POST", path, body, kind="application/x-www-form-urlencoded")
        body, kind = multipart(given, files)
        return self.ask("POST", path, body, kind=kind)

    def sign_in(self, account: str, password: str) -> Client:
        answer = self.form("/desk/sign-in", fields={"username": account, "password": password})
        assert answer.status == 302, f"{account} cannot sign in: {answer.status}"
        return self


def multipart(fields: dict[str, str], files: dict[str, bytes]) -> tuple[bytes, str]:
    """The body and its type."""
    parts = [
        b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
        % (name.encode(), value.encode("utf-8", "surrogatepass"))
        for name, value in fields.items()
    ]
    parts += [
        b'--x\r\nContent-Disposition: form-data; name="%s"; filename="../../x.png"\r\n'
        b"Content-Type: image/png\r\n\r\n%s\r\n" % (name.encode(), data)
        for name, data in files.items()
    ]
    return b"".join(parts) + b"--x--\r\n", "multipart/form-data; boundary=x"


def speak(port: int, *pieces: bytes, pause: float = 0.0, wait: float = 2.0, until: bytes = b"") -> bytes:
    """Sends bytes as they are and gives what comes back until the other side closes, is silent, or said `until`."""
    heard = b""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as line:
        try:
            for piece in pieces:
                line.sendall(piece)
                time.sleep(pause)
            line.settimeout(wait)
            while piece := line.recv(65536):
                heard += piece
                if until and until in heard:
                    break
        except (TimeoutError, ConnectionError):
            pass
    return heard


def questions() -> list[str]:
    """The names that pages ask an address for."""
    found: set[str] = {"limit", "offset", "start", "end", "step_s", "order", "open", "type", "bbox"}
    for file in _WEB.rglob("*.py"):
        found |= set(re.findall(r'GET(?:\.get(?:list)?\(|\[)"(\w+)"', file.read_text()))
    return sorted(found)


# Photos


def png(width: int, height: int, *, rows: int = 1) -> bytes:
    """A PNG that claims any size; its picture is `rows` rows of nothing, small as a file."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    packer = zlib.compressobj(9)
    row = b"\x00" * (1 + 3 * width)
    packed = b"".join(packer.compress(row) for _ in range(rows)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def text_bomb() -> bytes:
    """A PNG whose text unpacks to far more than the file."""
    packed = zlib.compress(b"A" * 80_000_000, 9)
    data = b"Comment\x00\x00" + packed
    chunk = struct.pack(">I", len(data)) + b"zTXt" + data + struct.pack(">I", zlib.crc32(b"zTXt" + data))
    whole = png(8, 8, rows=8)
    return whole[:33] + chunk + whole[33:]


def jpeg(size: tuple[int, int] = (64, 64)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "red").save(out, "JPEG")
    return out.getvalue()


#: Those of `photos` that hold a picture: it is taken, and nothing else of them.
DECODED = ("a bomb of 49 megapixels", "2 by 24 million pixels", "JPEG with a page behind")


def photos() -> dict[str, bytes]:
    """Photos that are none, or more than that, by what they are."""
    picture = jpeg()
    tiff = io.BytesIO()
    Image.new("RGB", (8, 8)).save(tiff, "TIFF")
    return {
        "50 000 by 50 000 pixels": png(50_000, 50_000),
        "a bomb of 49 megapixels": png(7000, 7000, rows=7000),
        "2 by 24 million pixels": png(24_000_000, 2),
        "no width": png(0, 5),
        "text that unpacks": text_bomb(),
        "SVG with script": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        "truncated JPEG": picture[: len(picture) // 2],
        "JPEG head alone": picture[:20],
        "JPEG with a page behind": picture + b"<script>alert(1)</script>",
        "GIF with script": b"GIF89a/*<script>alert(1)</script>*/=1;",
        "TIFF": tiff.getvalue(),
        "PDF": b"%PDF-1.7\n<script>alert(1)</script>",
        "ZIP": b"PK\x03\x04" + bytes(200),
        "nothing but zeros": bytes(100_000),
        "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(id) run\n",
        "WebP head": b"RIFF\xff\xff\xff\xffWEBPVP8 \xff\xff\xff\xff",
        "page": b"<!doctype html><script>alert(1)</script>",
    }
