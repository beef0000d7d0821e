"""Which hosts tell whether our own way out works. Standard library only: settings read it, the probe too."""

Canary = tuple[str, int]

NONE = "none"
# Four parties with networks of their own: Cloudflare, Google, Quad9, Wikimedia. By name, so that a name server that
# doesn't answer shows as well.
PUBLIC = "one.one.one.one:443,dns.google:443,dns.quad9.net:443,www.wikipedia.org:443"


def parse_canaries(text: str) -> tuple[Canary, ...]:
    """`host:port` by commas; the public ones for an empty text, no one for `none`. ValueError names what isn't one."""
    if text.strip().lower() == NONE:
        return ()
    return tuple(_canary(word.strip()) for word in (text.strip() or PUBLIC).split(",") if word.strip())


def _canary(word: str) -> Canary:
    host, _, port = word.rpartition(":")
    if not host or not (port.isascii() and port.isdigit() and len(port) < 6) or not 0 < int(port) < 65536:
        raise ValueError(f"PROBE_CANARIES: expected host:port or none, got {word!r}")
    return host.strip("[]"), int(port)
