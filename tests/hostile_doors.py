"""What an attacker says at the doors of programs: observations, requests, MQTT packets and lines of mail."""

from __future__ import annotations

import json

#: A value that no sensor of the demo measures, so that it is seen if a hostile body is stored.
MARK = 17.0717


def bodies() -> dict[str, bytes]:
    """Observations that may not be stored; MARK is the value in them."""
    good = {"datastream": "mlaka-inflow", "value": MARK}
    text = json.dumps(good).encode()

    def with_(**fields: object) -> bytes:
        return json.dumps({**good, **fields}).encode()

    return {
        "empty": b"",
        "spaces": b"   ",
        "null": b"null",
        "word": b"observation",
        "number": b"1",
        "text": b'"x"',
        "two": text + text,
        "comment": text + b" // x",
        "cut": text[:-2],
        "broken UTF-8": text[:-1] + b',"unit":"\xff\xfe"}',
        "overlong UTF-8": b'{"datastream":"\xc0\xae","value":17.0717}',
        "surrogate": with_(datastream="\ud800"),
        "UTF-16": text.decode().encode("utf-16"),
        "mark of bytes": b"\xef\xbb\xbf" + text,
        "NaN": b'{"datastream":"mlaka-inflow","value":NaN}',
        "Infinity": b'{"datastream":"mlaka-inflow","value":-Infinity}',
        "1e400": b'{"datastream":"mlaka-inflow","value":1e400}',
        "digits": b'{"datastream":"mlaka-inflow","value":%s}' % (b"9" * 9000),
        "true": with_(value=True),
        "a word": with_(value="17.0717"),
        "list": with_(value=[MARK]),
        "object": with_(value={}),
        "no value": b'{"datastream":"mlaka-inflow"}',
        "value null": with_(value=None),
        "no datastream": b'{"value":17.0717}',
        "deep list": b"[" * 200_000,
        "deep value": b'{"datastream":"mlaka-inflow","value":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        "deep object": b'{"a":' * 50_000,
        "unknown field": with_(id=1),
        "datastream is a list": with_(datastream=["mlaka-inflow"]),
        "datastream is SQL": with_(datastream="mlaka-inflow' OR 1=1 --"),
        "NUL": with_(datastream="mlaka-inflow\x00"),
        "long datastream": with_(datastream="x" * 1_000_000),
        "wrong unit": with_(unit="furlong"),
        "unit is a number": with_(unit=1),
        "time is a word": with_(time="yesterday"),
        "year 10000": with_(time="10000-01-01T00:00:00Z"),
        "year 1": with_(time="0001-01-01T00:00:00Z"),
        "time without offset": with_(time="2026-11-21T08:00:00"),
        "huge time": with_(time=10**30),
        "time is a float": with_(time=1.5),
        "negative time": with_(time=-(10**18)),
        "the future": with_(time="2200-01-01T00:00:00Z"),
        "origin": with_(origin="god"),
        "origin is a list": with_(origin=[]),
        "huge quality": with_(quality=2**40),
        "negative supersedes": with_(supersedes=-1),
        "huge supersedes": with_(supersedes=2**70),
        "out of range": with_(value=1e308),
        "list of rubbish": b'[1, null, {}, [], "x"]',
        "6000 observations": b"[" + b",".join([text] * 6000) + b"]",
        "the key twice, unknown last": b'{"datastream":"mlaka-inflow","value":17.0717,"datastream":"nothing-here"}',
        "value twice, a word last": b'{"datastream":"mlaka-inflow","value":17.0717,"value":"x"}',
        "2.5 MB": text + b" " * 2_500_000,
        "5 MB of text": b'"' + b"a" * 5_000_000 + b'"',
        "9 MB of lists": b"[" * 9_000_000,
        "form": b"datastream=mlaka-inflow&value=17.0717",
        "XML": b"<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><x>&e;</x>",
        "gzip": b"\x1f\x8b\x08\x00" + bytes(100),
    }


def requests(key: str) -> dict[str, tuple[bytes, ...]]:
    """What no client says, in pieces."""
    host = b"Host: 127.0.0.1\r\n"
    post = b"POST /api/v1/observations HTTP/1.1\r\n" + host + b"Authorization: Bearer " + key.encode() + b"\r\n"
    page = b"POST /sl/cases/report?type=street-lamp HTTP/1.1\r\n" + host
    hidden = b"GET /smuggled HTTP/1.1\r\nHost: 127.0.0.1\r\nX: "
    both = b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    chunked = b"Transfer-Encoding: chunked\r\n\r\n"
    return {
        "length and chunks, observations": (post + both + hidden,),
        "length and chunks, a page": (page + both + hidden,),
        "two lengths": (page + b"Content-Length: 0\r\nContent-Length: 44\r\n\r\n" + hidden,),
        "a list of lengths": (page + b"Content-Length: 0, 44\r\n\r\n" + hidden,),
        "signed length": (post + b"Content-Length: +5\r\n\r\nhello",),
        "negative length": (post + b"Content-Length: -1\r\n\r\n",),
        "length of another script": (post + b"Content-Length: \xb2\r\n\r\n" + b"{}",),
        "huge length": (post + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",),
        "large length, little body": (post + b"Content-Length: 1000000\r\n\r\n{",),
        "length too short": (post + b"Content-Length: 2\r\n\r\n{}GET /smuggled HTTP/1.1\r\n\r\n",),
        "chunks of no number": (post + chunked + b"zz\r\nhello\r\n0\r\n\r\n",),
        "a huge chunk": (post + chunked + b"ffffffffffffffffff\r\nhello",),
        "a chunk that lies": (post + chunked + b"2\r\nhello\r\n0\r\n\r\n",),
        "chunk extensions": (post + chunked + b"1;" + b"a" * 40_000 + b"\r\n{\r\n0\r\n\r\n",),
        "bare line feeds in chunks": (post + chunked + b"1\n{\n0\n\n",),
        "trailers": (post + chunked + b"0\r\nX-A: " + b"b" * 40_000 + b"\r\n\r\n",),
        "chunked, spelt otherwise": (page + b"Transfer-Encoding: xchunked\r\nContent-Length: 3\r\n\r\n0\r\n" + hidden,),
        "chunked behind a tab": (page + b"Transfer-Encoding:\tchunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n" + hidden,),
        "space before the colon": (
            page + b"Transfer-Encoding : chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n" + hidden,
        ),
        "folded header": (page + b"X-A: b\r\n c: d\r\n\r\n",),
        "NUL in a header": (b"GET / HTTP/1.1\r\n" + host + b"X: a\x00b\r\n\r\n",),
        "no host": (b"GET /sl/ HTTP/1.1\r\n\r\n",),
        "two hosts": (b"GET /sl/ HTTP/1.1\r\n" + host + b"Host: evil.example\r\n\r\n",),
        "address with a host": (b"GET http://evil.example/sl/ HTTP/1.1\r\n" + host + b"\r\n",),
        "CONNECT": (b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n",),
        "TRACE": (b"TRACE / HTTP/1.1\r\n" + host + b"\r\n",),
        "OPTIONS *": (b"OPTIONS * HTTP/1.1\r\n" + host + b"\r\n",),
        "unknown method": (b"BREW /sl/ HTTP/1.1\r\n" + host + b"\r\n",),
        "HTTP/0.9": (b"GET /\r\n",),
        "HTTP/9.9": (b"GET / HTTP/9.9\r\n" + host + b"\r\n",),
        "HTTP/2 at once": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(50),),
        "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),),
        "rubbish": (bytes(range(256)) * 20,),
        "500 headers": (b"GET /sl/ HTTP/1.1\r\n" + host + b"".join(b"X-%d: y\r\n" % n for n in range(500)) + b"\r\n",),
        "a header of 200 kB": (b"GET /sl/ HTTP/1.1\r\n" + host + b"X-A: " + b"y" * 200_000 + b"\r\n\r\n",),
        "upgrade": (
            b"GET /live HTTP/1.1\r\n"
            + host
            + b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: eA==\r\n"
            + b"Sec-WebSocket-Version: 13\r\n\r\n",
        ),
        "drops headers of the proxy": (
            b"GET /sl/ HTTP/1.1\r\n" + host + b"Connection: x-forwarded-for, host, cookie\r\n\r\n",
        ),
        "slow": (post, b"Content-Length: 20\r\n", b"\r\n", b"{", b'"'),
        "a line feed in the address": (b"GET /sl/\nX-Evil: 1 HTTP/1.1\r\n" + host + b"\r\n",),
        "bytes in the address": (b"GET /sl/\xff\xfe\x80 HTTP/1.1\r\n" + host + b"\r\n",),
        "no slash": (b"GET sl/ HTTP/1.1\r\n" + host + b"\r\n",),
        "expectation": (post + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n",),
        "odd expectation": (post + b"Expect: 300\r\nContent-Length: 2\r\n\r\n{}",),
        "a fragment": (b"GET /sl/#/../../desk/ HTTP/1.1\r\n" + host + b"\r\n",),
        "encoded body": (post + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",),
    }


def packets() -> dict[str, bytes]:
    """What no MQTT client says."""

    def connect(user: bytes, password: bytes, *, level: int = 4, client: bytes = b"x") -> bytes:
        def text(value: bytes) -> bytes:
            return len(value).to_bytes(2, "big") + value

        rest = text(b"MQTT") + bytes([level, 0xC2, 0, 60]) + (b"\x00" if level == 5 else b"")
        rest += text(client) + text(user) + text(password)
        length = len(rest)
        return b"\x10" + (bytes([length]) if length < 128 else bytes([length % 128 | 128, length // 128])) + rest

    return {
        "nothing but ones": b"\xff" * 5000,
        "zeros": bytes(5000),
        "HTTP": b"GET / HTTP/1.1\r\n\r\n",
        "TLS": b"\x16\x03\x01" + bytes(200),
        "length without end": b"\x10\xff\xff\xff\xff\xff",
        "length of 256 MB": b"\x10\xff\xff\xff\x7f" + bytes(1000),
        "publish before connect": b"\x30\x0a\x00\x04krog1234",
        "connect cut": connect(b"a", b"b")[:7],
        "unknown protocol": connect(b"a", b"b", level=77),
        "wrong key": connect(b"a", b"b"),
        "wrong key, MQTT 5": connect(b"a", b"b", level=5),
        "NUL in the user name": connect(b"k\x00x", b"b"),
        "broken UTF-8 in the user name": connect(b"\xff\xfe", b"\xff"),
        "SQL in the user name": connect(b"' OR 1=1 --", b"' OR 1=1 --"),
        "long client": connect(b"a", b"b", client=b"c" * 10_000),
        "connect twice": connect(b"a", b"b") * 2,
        "subscribe to all before connect": b"\x82\x06\x00\x01\x00\x01#\x00",
    }


#: What no mail program says.
LINES = (
    b"\x00" * 5000,
    b"A" * 200_000 + b"\r\n",
    b"HELO x\r\nMAIL FROM:<" + b"a" * 2000 + b"@x>\r\n",
    b"EHLO \xff\xfe\r\n",
    b"HELO x\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<administrator@localhost>\r\n",
    b"HELO x\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<../../etc/passwd@localhost>\r\nDATA\r\n",
    b"DATA\r\nx\r\n.\r\n",
    b"HELO x\r\nMAIL FROM:<a@x> SIZE=99999999999999999999\r\n",
    b"VRFY root\r\nEXPN all\r\nDEBUG\r\n",
    b"\r\n" * 3000,
    b"HELO x\r\nMAIL FROM:<>\r\n" + b"RCPT TO:<a@b>\r\n" * 500,
)
