"""The text of a fetched page: decoded as a browser would, and redacted where it is kept as evidence."""

import codecs
import re
from collections.abc import Iterable, Mapping

EXCERPT_BYTES = 2048

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_META = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.\-]{2,40})", re.IGNORECASE)
_HEADER_CHARSET = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9_:.\-]{2,40})", re.IGNORECASE)
# Browsers read these labels as their Windows superset (WHATWG Encoding Standard).
_SUPERSETS = {"iso-8859-1": "windows-1252", "latin1": "windows-1252", "ascii": "windows-1252"}

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
    """Name of a codec that Python has: by BOM, else header, else meta tag in the first 2 KiB, else UTF-8."""
    for bom, name in _BOMS:
        if body.startswith(bom):
            return name
    named = _HEADER_CHARSET.search(content_type)
    if named and (known := _known(named[1])):
        return known
    meta = _META.search(body[:2048])
    return (meta and _known(meta[1].decode("ascii"))) or "utf-8"


def _known(label: str) -> str:
    label = label.lower()
    label = _SUPERSETS.get(label, label)
    try:
        return codecs.lookup(label).name if "".encode(label) is not None else ""
    except LookupError:
        return ""


def decode(body: bytes, headers: Mapping[str, str]) -> str:
    """The page as text; what its charset cannot read becomes U+FFFD."""
    return body.decode(charset(body, headers.get("content-type", "")), errors="replace").removeprefix("\ufeff")


def excerpt(text: str, secrets: Iterable[str] = ()) -> str:
    """The first 2 KiB of a page without what looks like a secret or a person's data."""
    text = text[: 2 * EXCERPT_BYTES].replace("\0", "")
    for secret in secrets:
        if len(secret) >= 3:
            text = text.replace(secret, "[…]")
    for pattern, masked in _SECRETS:
        text = pattern.sub(masked, text)
    return text.encode()[:EXCERPT_BYTES].decode(errors="ignore")
