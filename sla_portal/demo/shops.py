"""Online shops to watch and to break: one small server on loopback, each shop below a path of its own.

    python -m sla_portal.demo.shops --port 8003 --state-dir var/shops

`/` shows all shops with a way to break each one; the same by JSON: `GET /api/shops`, and
`PUT /api/shops/<slug>` with {"fault": "down"}. Faults survive a restart (STATE_DIR/faults.json). The port after it
speaks TLS with a certificate that has expired, of an authority that STATE_DIR/ca.pem names.
"""

import argparse
import asyncio
import json
import secrets
import socket
import ssl
import struct
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from sla_portal.demo import shop_pages as pages
from sla_portal.demo.certificates import Authority
from sla_portal.demo.shop_pages import SHOPS, Shop

HOST = "127.0.0.1"
# Beyond a monitor's usual 3 s of "slow", within its usual 10 s of patience.
SLOW_SECONDS = 4.0

FAULTS = {
    "": "działa",
    "down": "nie działa (zrywa połączenie)",
    "hanging": "wisi (nie odpowiada)",
    "slow": "zwalnia (4 s)",
    "database": "błąd bazy danych",
    "payment": "płatność nie przechodzi",
    "short": "urwana strona",
    "certificate": "wygasły certyfikat",
}
DATABASE_PAGE = "<html><body><h1>Error establishing a database connection</h1></body></html>"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Street:
    """The shops' faults, kept in a file, and what the pages need to know of the server."""

    folder: Path
    tls_port: int = 0
    token: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    faults: dict[str, str] = field(default_factory=dict)

    def load(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / "faults.json"
        kept = json.loads(path.read_text()) if path.exists() else {}
        self.faults = {slug: fault for slug, fault in kept.items() if slug in SHOPS and fault in FAULTS}

    def set(self, slug: str, fault: str) -> None:
        """Breaks or repairs a shop and remembers it."""
        self.faults[slug] = fault
        path = self.folder / "faults.json"
        new = path.with_suffix(".new")
        new.write_text(json.dumps(self.faults, indent=1))
        new.replace(path)

    def of(self, slug: str) -> str:
        return self.faults.get(slug, "")


STREET = web.AppKey("street", Street)


# Breaking


@web.middleware
async def break_shop(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What is broken about the shop happens before or instead of its pages."""
    slug = request.path.split("/")[1]
    fault = request.app[STREET].of(slug)
    if fault == "payment" and request.path.endswith("/platnosc"):
        return _html(pages.payment_failed(SHOPS[slug]), status=502)
    broken = _BREAKERS.get(fault)
    return await broken(request, handler) if broken else await handler(request)


async def _down(request: web.Request, handler: Handler) -> web.StreamResponse:
    transport = request.transport
    if transport is not None:
        # Without lingering the close is a reset, as from a machine where nothing listens any more.
        sock: socket.socket = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response()


async def _hanging(request: web.Request, handler: Handler) -> web.StreamResponse:
    street, slug = request.app[STREET], request.path.split("/")[1]
    while street.of(slug) == "hanging":
        await asyncio.sleep(0.2)
    return await handler(request)


async def _slow(request: web.Request, handler: Handler) -> web.StreamResponse:
    await asyncio.sleep(SLOW_SECONDS)
    return await handler(request)


async def _database(request: web.Request, handler: Handler) -> web.StreamResponse:
    return _html(DATABASE_PAGE)


async def _short(request: web.Request, handler: Handler) -> web.StreamResponse:
    whole = pages.home(SHOPS[request.path.split("/")[1]]).encode()
    if request.transport is not None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {len(whole)}\r\n\r\n"
        request.transport.write(head.encode() + whole[: len(whole) // 2])
        request.transport.close()
    return web.Response()


async def _certificate(request: web.Request, handler: Handler) -> web.StreamResponse:
    if request.secure:
        return await handler(request)
    raise web.HTTPMovedPermanently(f"https://{HOST}:{request.app[STREET].tls_port}{request.path_qs}")


_BREAKERS: dict[str, Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]] = {
    "down": _down,
    "hanging": _hanging,
    "slow": _slow,
    "database": _database,
    "short": _short,
    "certificate": _certificate,
}


# Pages


def _html(text: str, status: int = 200) -> web.Response:
    return web.Response(text=text, content_type="text/html", status=status)


def _shop(request: web.Request) -> Shop:
    shop = SHOPS.get(request.match_info["shop"])
    if shop is None:
        raise web.HTTPNotFound(text="Nie ma takiego sklepu.")
    return shop


def _or_missing(shop: Shop, text: str | None) -> web.Response:
    return _html(text) if text else _html(pages.missing(shop), status=404)


async def home(request: web.Request) -> web.Response:
    return _html(pages.home(_shop(request)))


async def category(request: web.Request) -> web.Response:
    shop = _shop(request)
    return _or_missing(shop, pages.category(shop, request.match_info["slug"]))


async def product(request: web.Request) -> web.Response:
    shop = _shop(request)
    return _or_missing(shop, pages.product(shop, request.match_info["slug"]))


async def cart(request: web.Request) -> web.Response:
    return _html(pages.cart(_shop(request), request.query.get("produkt", "")))


async def checkout(request: web.Request) -> web.Response:
    return _html(pages.checkout(_shop(request), request.app[STREET].token))


async def payment(request: web.Request) -> web.Response:
    return _html(pages.payment(_shop(request), request.app[STREET].token))


async def order(request: web.Request) -> web.Response:
    shop = _shop(request)
    await _check_token(request)
    raise web.HTTPSeeOther(f"/{shop.slug}/platnosc")


async def pay(request: web.Request) -> web.Response:
    shop = _shop(request)
    await _check_token(request)
    return _html(pages.thanks(shop))


async def _check_token(request: web.Request) -> None:
    if (await request.post()).get("token") != request.app[STREET].token:
        raise web.HTTPForbidden(text="Formularz stracił ważność, wróć do koszyka.")


async def style(request: web.Request) -> web.Response:
    return web.Response(text=pages.STYLE, content_type="text/css")


# Control


async def control(request: web.Request) -> web.Response:
    street = request.app[STREET]
    rows = "".join(_row(shop, street.of(shop.slug)) for shop in SHOPS.values())
    table = (
        f"<table><thead><tr><th>Sklep</th><th>Co sprzedaje</th><th>Stan</th></tr></thead><tbody>{rows}</tbody></table>"
    )
    lead = "<h1>Sklepy pokazowe</h1><p>Zepsuj sklep i zobacz, co zauważy monitor.</p>"
    return _html(pages.frame("Sklepy pokazowe", lead + table))


def _row(shop: Shop, fault: str) -> str:
    options = "".join(
        f'<option value="{value}"{" selected" if value == fault else ""}>{escape(name)}</option>'
        for value, name in FAULTS.items()
    )
    form = (
        f'<form class="row" method="post" action="/control/{shop.slug}">'
        f'<select name="fault" aria-label="Stan sklepu {shop.domain}">{options}</select><button>Ustaw</button></form>'
    )
    mark = f'<span class="broken">{escape(FAULTS[fault])}</span>' if fault else ""
    return (
        f'<tr><td><a href="/{shop.slug}/">{shop.domain}</a></td><td>{escape(shop.motto)}</td><td>{mark}{form}</td></tr>'
    )


async def set_by_form(request: web.Request) -> web.Response:
    origin = request.headers.get("Origin")
    if origin and urlsplit(origin).netloc != request.host:
        raise web.HTTPForbidden(text="Sklepy psuje się tylko z tej strony.")
    _set(request, str((await request.post()).get("fault", "")))
    raise web.HTTPSeeOther("/")


async def list_by_json(request: web.Request) -> web.Response:
    return web.json_response({"faults": list(FAULTS), "shops": [_as_json(request, shop) for shop in SHOPS.values()]})


async def set_by_json(request: web.Request) -> web.Response:
    try:
        fault = (await request.json())["fault"]
    except (ValueError, KeyError, TypeError):
        raise web.HTTPBadRequest(text='Expected JSON like {"fault": "down"}.') from None
    _set(request, str(fault))
    return web.json_response(_as_json(request, _shop(request)))


def _set(request: web.Request, fault: str) -> None:
    shop = _shop(request)
    if fault not in FAULTS:
        raise web.HTTPBadRequest(
            text=f"Unknown fault {fault!r}: expected one of {', '.join(filter(None, FAULTS))} or ''."
        )
    request.app[STREET].set(shop.slug, fault)


def _as_json(request: web.Request, shop: Shop) -> dict[str, str]:
    return {
        "slug": shop.slug,
        "name": shop.name,
        "domain": shop.domain,
        "url": f"http://{request.host}/{shop.slug}/",
        "fault": request.app[STREET].of(shop.slug),
    }


# Running


def make_app(street: Street) -> web.Application:
    """The application; `street.tls_port` may be set later."""
    app = web.Application(middlewares=[break_shop])
    app[STREET] = street
    app.add_routes(
        [
            web.get("/", control),
            web.post("/control/{shop}", set_by_form),
            web.get("/api/shops", list_by_json),
            web.put("/api/shops/{shop}", set_by_json),
            web.get("/style.css", style),
            web.get("/{shop}/", home),
            web.get("/{shop}/kategoria/{slug}", category),
            web.get("/{shop}/produkt/{slug}", product),
            web.get("/{shop}/koszyk", cart),
            web.get("/{shop}/zamowienie", checkout),
            web.post("/{shop}/zamowienie", order),
            web.get("/{shop}/platnosc", payment),
            web.post("/{shop}/platnosc", pay),
        ]
    )
    return app


def expired_context(folder: Path, *, at: datetime) -> ssl.SSLContext:
    """TLS of a server whose certificate ended yesterday."""
    authority = Authority.open(folder, "Urząd certyfikacji sklepów pokazowych", at=at)
    pair = authority.issue(HOST, folder / "expired.pem", starts=at - timedelta(days=91), ends=at - timedelta(days=1))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair)
    return context


@dataclass(frozen=True)
class Running:
    """A server under way; close it by `runner.cleanup()`."""

    runner: web.AppRunner
    port: int
    tls_port: int


async def start(folder: Path, port: int, tls_port: int, *, at: datetime) -> Running:
    """Both ports listening; 0 takes free ones. OSError where a port is taken."""
    street = Street(folder)
    street.load()
    runner = web.AppRunner(make_app(street), access_log=None, shutdown_timeout=1)
    await runner.setup()
    plain = web.TCPSite(runner, HOST, port)
    secure = web.TCPSite(runner, HOST, tls_port, ssl_context=expired_context(folder, at=at))
    try:
        await plain.start()
        await secure.start()
    except OSError:
        await runner.cleanup()
        raise
    addresses = [address[1] for address in runner.addresses]
    street.tls_port = addresses[1]
    return Running(runner, addresses[0], addresses[1])


async def serve(folder: Path, port: int, tls_port: int) -> None:
    running = await start(folder, port, tls_port, at=datetime.now(UTC))
    print(f"Demo shops: http://{HOST}:{running.port}/", flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        await running.runner.cleanup()


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m sla_portal.demo.shops", description="Online shops to break.")
    parser.add_argument("--port", type=int, required=True, help="HTTP; TLS takes the next one; 0: any free ones")
    parser.add_argument("--state-dir", type=Path, required=True, help="where faults and certificates are kept")
    options = parser.parse_args(arguments)
    tls_port = options.port + 1 if options.port else 0
    try:
        asyncio.run(serve(options.state_dir, options.port, tls_port))
    except KeyboardInterrupt:
        return 0
    except OSError as error:
        print(f"The demo shops cannot start: {error}. Free the port or choose another by --port.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
