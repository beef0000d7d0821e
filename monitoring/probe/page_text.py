"""The text of a fetched page: decoded as a browser would, and redacted where it is kept as evidence."""

import codecs
import re
from collections.abc import Iterable, Mapping

from monitoring.probe.charsets import codec_of

EXCERPT_BYTES = 2048

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_META = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.\-]{2,40})", re.IGNORECASE)
_HEADER_CHARSET = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9_:.\-]{2,40})", re.IGNORECASE)

_SECRETS = (
    (re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}"), "[e-mail]"),
    (
        re.compile(
            r"([\w-]{0,30}(?:pass|passwd|password|haslo|pwd|secret|token|key|csrf|session|auth|sid|cookie)[\w-]{0,30}"
            r"[\"']?\s{0,3}[=:]\s{0,3})([\"']?)[^\s\"'<>&;,]{3,}\2",
            re.IGNORECASE,
        ),
        r"\1[…]",
    ),
    (re.compile(r"(<input[^>]{0,200}?\bvalue\s{0,3}=\s{0,3})(\"[^\"]*\"|'[^']*')", re.IGNORECASE), r'\1"[…]"'),
    (re.compile(r"\b[A-Za-z0-9_-]{32,}\b"), "[…]"),
    (re.compile(r"\+?\d(?:[ -]?\d){8,}"), "[…]"),
)


def charset(body: bytes, content_type: str) -> str:
    """A codec of those that browsers know: by BOM, else header, else meta tag in the first 2 KiB, else UTF-8."""
    for bom, name in _BOMS:
        if body.startswith(bom):
            return name
    header = _HEADER_CHARSET.search(content_type)
    if header and (codec := codec_of(header[1])):
        return codec
    meta = _META.search(body[:2048])
    codec = codec_of(meta[1].decode("ascii")) if meta else ""
    # A tag that can be read as ASCII doesn't stand in a page of UTF-16 (WHATWG HTML, "prescan a byte stream").
    return "utf-8" if codec.startswith("utf-16") else codec or "utf-8"


def decode(body: bytes, headers: Mapping[str, str]) -> str:
    """The page as text; what its charset cannot read becomes U+FFFD."""
    return body.decode(charset(body, headers.get("content-type", "")), errors="replace").removeprefix("\ufeff")


def line(text: str, length: int) -> str:
    """What the other side wrote as one line that every database and letter takes: no controls, no half characters."""
    return "".join(letter if letter.isprintable() else " " for letter in text[:length])


def excerpt(text: str, secrets: Iterable[str] = ()) -> str:
    """The first 2 KiB of a page without what looks like a secret or a person's data."""
    text = text[: 2 * EXCERPT_BYTES].replace("\0", "").encode(errors="replace").decode()
    for secret in secrets:
        if len(secret) >= 3:
            text = text.replace(secret, "[…]")
    for pattern, masked in _SECRETS:
        text = pattern.sub(masked, text)
    return text.encode()[:EXCERPT_BYTES].decode(errors="ignore")
