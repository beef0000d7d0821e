"""What a result says to people, in their language."""

from decimal import Decimal

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override, pgettext_lazy

from monitoring.probe.specification import Result
from monitoring.state.shop import ShopState

# By reason and detail (for a timeout: the phase); a reason alone says what holds for every other detail.
SENTENCES: dict[tuple[str, str], Promise] = {
    ("ok", ""): _("Works: answered in %(seconds)s s."),
    ("slow", ""): _("Works, but slowly: the answer took %(seconds)s s."),
    ("timeout", ""): _("No answer within %(seconds)s s."),
    ("timeout", "connect"): _("The server did not accept a connection within %(seconds)s s."),
    ("timeout", "tls"): _("The encrypted connection was not ready within %(seconds)s s."),
    ("timeout", "body"): _("The page began to arrive but was not whole after %(seconds)s s."),
    ("connect", ""): _("The server cannot be reached."),
    ("connect", "refused"): _("The server refuses connections."),
    ("connect", "closed"): _("Twice the server hung up without an answer."),
    ("connect", "reset"): _("Twice the server broke the connection without an answer."),
    ("dns", ""): _("The name servers cannot give the address of %(subject)s."),
    ("dns", "nxdomain"): _("The name %(subject)s does not exist in DNS."),
    ("dns", "timeout"): _("The name servers do not answer."),
    ("tls", ""): _("The encrypted connection could not be set up."),
    ("tls", "expired"): _("The certificate has expired."),
    ("tls", "not_yet_valid"): _("The certificate is not valid yet."),
    ("tls", "wrong_host"): _("The certificate does not belong to %(subject)s."),
    ("tls", "self_signed"): _("The certificate is self-signed."),
    ("tls", "untrusted"): _("The certificate was issued by an unknown authority."),
    ("tls", "plain_text"): _("On its https port the server answers without encryption."),
    ("protocol", ""): _("The server's answer is not valid HTTP."),
    ("protocol", "header_cap"): _("The headers of the answer are too long."),
    ("protocol", "cut_head"): _("The answer broke off within its headers."),
    ("redirects", ""): _("More than 5 redirects in a row."),
    ("redirects", "downgrade"): _("The shop redirects from https to unencrypted http."),
    ("truncated", ""): _("The page broke off: a part of it is missing."),
    ("encoding", ""): _("The page cannot be decompressed."),
    ("content", "empty"): _("The page is empty."),
    ("content", "small"): _("The page has only %(subject)s bytes."),
    ("content", "missing"): _("The page lacks the text “%(subject)s”."),
    ("content", "forbidden"): _("The page says “%(subject)s”."),
    ("content", "pattern"): _("Nothing on the page matches the pattern “%(subject)s”."),
    ("content", "json"): _("The answer lacks the expected value at “%(subject)s”."),
    ("content", "header"): _("The answer lacks the expected header %(subject)s."),
    ("content", "host"): _("The address leads to another host: %(subject)s."),
    ("content", "costly"): _("The page takes more time or memory to read than any page may."),
    ("content", "unreadable"): _("The page cannot be read: its contents break the program that reads it."),
    ("content", ""): _("The page is not as it should be."),
    ("cut", ""): _("We read only the beginning of the page, and “%(subject)s” is not in it. It may come later."),
    ("status", ""): _("The server answered with status %(status)s."),
    ("status", "no_location"): _("The server redirects without saying where to (status %(status)s)."),
    ("walled", ""): _("The shop turns our check away (status %(status)s); it may work for customers."),
    ("blocked", ""): _("Our rules do not allow this address."),
    ("blocked", "scheme"): _("Only addresses that begin with http or https are checked."),
    ("blocked", "userinfo"): _("The address must not contain a user name or a password."),
    ("blocked", "host"): _("This address cannot be understood."),
    ("blocked", "port"): _("Our rules do not allow connections to port %(subject)s."),
    ("blocked", "address"): _("Our rules do not allow connections to %(subject)s: it is not a public address."),
    ("egress", ""): _("Our probe could not make the check, so we know nothing of the shop."),
    ("egress", "canaries"): _("Our own connection failed, so we know nothing of the shop."),
    ("egress", "local"): _("Our own machine could not make the check, so we know nothing of the shop."),
    ("egress", "names"): _("Our own name server does not answer, so we know nothing of the shop."),
    ("egress", "unreachable"): _("The network says that there is no way, and nobody vouches for our own connection."),
    ("missed", ""): _("The check was not made in time."),
}
CUT = _("We read only the first %(kib)s KiB.")
# What a shop is said to be, in lists: the style of its line, and the sentence about its worst part.
SHOPS: dict[str, tuple[str, Promise]] = {
    "down": ("late", _("%(part)s: does not work")),
    "unknown": ("off", _("We don't know: our check has no result")),
    "maintenance": ("hold", _("Planned work")),
    "degraded": ("warn", _("%(part)s: works badly")),
    "up": ("met", _("Works")),
    "paused": ("", pgettext_lazy("monitor", "not watched")),
}
EASED = _("%(failure)s, but there is a workaround")
# The first certificate to end: by whether it is an intermediate one, and whether it has ended.
CERTIFICATES: dict[tuple[bool, bool], Promise] = {
    (False, False): _("The certificate of %(host)s ends %(ends)s."),
    (False, True): _("The certificate of %(host)s has ended."),
    (True, False): _("The intermediate certificate “%(name)s” that %(host)s sends ends %(ends)s."),
    (True, True): _("The intermediate certificate “%(name)s” that %(host)s sends has ended."),
}
MAINTENANCE = _("Planned work: %(sentence)s")
PAUSED = _("Not watched.")


def sentence(result: Result, language: str) -> str:
    """One or two sentences about a result, in `pl` or `en`."""
    with override(language):
        if result.state == "paused":
            return str(PAUSED)
        text = str(_template(result)) % _values(result)
        if result.cut and result.reason != "cut":
            text = f"{text} {CUT % {'kib': result.bytes // 1024}}"
        return str(MAINTENANCE) % {"sentence": text} if result.state == "maintenance" else text


def certificate_sentence(host: str, intermediate: str, ends: str) -> str:
    """Which certificate ends, and when; `ends` is "" where it has ended."""
    template = CERTIFICATES[bool(intermediate), not ends]
    return str(template) % {"host": host, "name": intermediate, "ends": ends}


def shop_sentence(shop: ShopState) -> str:
    """A shop's state in the reader's language, without since when."""
    if not shop.is_reported:
        return str(SHOPS[shop.state][1]) % {"part": shop.part}
    return str(EASED) % {"failure": shop.part} if shop.trouble and shop.trouble.eased else shop.part


def shop_style(shop: ShopState) -> str:
    return SHOPS[shop.state][0]


def _template(result: Result) -> Promise:
    detail = result.phase if result.reason == "timeout" else result.detail
    return SENTENCES.get((result.reason, detail)) or SENTENCES[(result.reason, "")]


def _values(result: Result) -> dict[str, str]:
    seconds = number_format(Decimal(result.timings.total) / 1000, decimal_pos=1)
    return {"seconds": seconds, "subject": result.subject, "status": str(result.status or "")}
