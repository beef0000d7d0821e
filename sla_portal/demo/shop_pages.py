"""What the demo shops sell, and their pages; the words are the shops' own, so always Polish."""

from dataclasses import dataclass
from html import escape


@dataclass(frozen=True, slots=True)
class Product:
    """`price` in grosz."""

    slug: str
    name: str
    price: int
    says: str


@dataclass(frozen=True, slots=True)
class Shop:
    slug: str
    name: str
    domain: str
    motto: str
    categories: tuple[tuple[str, str, tuple[Product, ...]], ...]

    @property
    def products(self) -> dict[str, Product]:
        return {product.slug: product for _, _, products in self.categories for product in products}


def _shop(slug: str, name: str, domain: str, motto: str, *categories: tuple[str, str, tuple[Product, ...]]) -> Shop:
    return Shop(slug, name, domain, motto, categories)


P = Product
SHOPS: dict[str, Shop] = {
    shop.slug: shop
    for shop in (
        _shop(
            "mak",
            "Mak",
            "mak.pl",
            "Nasiona i cebulki z polskich pól",
            (
                "kwiaty",
                "Kwiaty",
                (
                    P("mak-polny", "Mak polny, nasiona 2 g", 690, "Kwitnie od maja do lipca, lubi słońce."),
                    P("chaber-blawatek", "Chaber bławatek, nasiona 3 g", 590, "Na łąkę i do wazonu."),
                ),
            ),
            (
                "warzywa",
                "Warzywa",
                (
                    P(
                        "pomidor-malinowy",
                        "Pomidor malinowy, nasiona 0,5 g",
                        890,
                        "Duże, słodkie owoce, także pod osłony.",
                    ),
                    P("ogorek-srem", "Ogórek Śremski, nasiona 5 g", 490, "Na kiszenie i na świeżo."),
                ),
            ),
        ),
        _shop(
            "hurt-mak",
            "Mak Hurt",
            "hurt.mak.pl",
            "Nasiona dla sklepów ogrodniczych",
            (
                "worki",
                "Worki i wiadra",
                (
                    P("trawa-25kg", "Trawa uniwersalna, worek 25 kg", 48900, "Wysyłka na palecie w dwa dni robocze."),
                    P("koniczyna-10kg", "Koniczyna biała, wiadro 10 kg", 35900, "Do podsiewu i na pastwiska."),
                ),
            ),
            (
                "ekspozytory",
                "Ekspozytory",
                (P("stojak-120", "Stojak na 120 torebek", 27900, "Z pierwszym zatowarowaniem."),),
            ),
        ),
        _shop(
            "lis",
            "Lis",
            "lis.pl",
            "Ubrania na deszcz i wiatr",
            (
                "kurtki",
                "Kurtki",
                (
                    P("kurtka-slota", "Kurtka Słota", 64900, "Membrana 20 000 mm, klejone szwy."),
                    P("kurtka-bryza", "Kurtka Bryza", 45900, "Lekka wiatrówka, 190 g."),
                ),
            ),
            ("dodatki", "Dodatki", (P("czapka-merino", "Czapka z wełny merino", 11900, "Ciepła także mokra."),)),
        ),
        _shop(
            "tur",
            "Tur",
            "tur.pl",
            "Plecaki, namioty, śpiwory",
            (
                "plecaki",
                "Plecaki",
                (
                    P("plecak-gorce-45", "Plecak Gorce 45 l", 52900, "Regulowane plecy, pokrowiec od deszczu."),
                    P("plecak-rysy-30", "Plecak Rysy 30 l", 38900, "Na jeden dzień w górach."),
                ),
            ),
            ("namioty", "Namioty", (P("namiot-biebrza-2", "Namiot Biebrza 2", 119900, "Dwie osoby, 2,1 kg."),)),
        ),
        _shop(
            "wisla-foto",
            "Wisła Foto",
            "wisla-foto.pl",
            "Odbitki, albumy, aparaty z drugiej ręki",
            (
                "odbitki",
                "Odbitki",
                (
                    P("odbitka-10x15", "Odbitka 10 × 15 cm", 99, "Papier jedwab, gotowa jutro."),
                    P("fotoksiazka-a4", "Fotoksiążka A4, 32 strony", 8900, "Twarda oprawa, płaskie rozkładówki."),
                ),
            ),
            (
                "aparaty",
                "Aparaty",
                (P("zenit-ttl", "Zenit TTL z obiektywem 58 mm", 34900, "Sprawdzony, gwarancja 12 miesięcy."),),
            ),
        ),
        _shop(
            "sowa",
            "Księgarnia Sowa",
            "sowa.pl",
            "Książki, które czyta się do rana",
            (
                "kryminaly",
                "Kryminały",
                (
                    P("noc-nad-warta", "Noc nad Wartą", 4490, "Komisarz wraca do Poznania po dwudziestu latach."),
                    P("zimny-trop", "Zimny trop", 3990, "Śnieg, Suwałki i list bez nadawcy."),
                ),
            ),
            (
                "dla-dzieci",
                "Dla dzieci",
                (P("sowa-i-ksiezyc", "Sowa i księżyc", 3490, "Do czytania na głos, od 3 lat."),),
            ),
        ),
        _shop(
            "jodlowa",
            "Jodłowa",
            "jodlowa.pl",
            "Mydła i olejki z Beskidu",
            (
                "mydla",
                "Mydła",
                (
                    P("mydlo-jodlowe", "Mydło jodłowe 100 g", 2400, "Warzone na zimno, dojrzewa sześć tygodni."),
                    P("mydlo-owsiane", "Mydło owsiane 100 g", 2200, "Dla skóry wrażliwej."),
                ),
            ),
            ("olejki", "Olejki", (P("olejek-sosnowy", "Olejek sosnowy 10 ml", 2900, "Destylowany z igliwia."),)),
        ),
        _shop(
            "filcownia",
            "Filcownia",
            "filcownia.pl",
            "Kapcie i torby z filcu",
            (
                "kapcie",
                "Kapcie",
                (
                    P("kapcie-goralskie", "Kapcie góralskie", 8900, "Filc wełniany, podeszwa z gumy."),
                    P("kapcie-goscinne", "Kapcie gościnne, 4 pary", 15900, "W worku z bawełny."),
                ),
            ),
            ("torby", "Torby", (P("torba-miejska", "Torba miejska", 18900, "Mieści laptop 15 cali."),)),
        ),
        _shop(
            "bukszpan",
            "Bukszpan",
            "bukszpan.pl",
            "Rośliny do ogrodu, prosto ze szkółki",
            (
                "krzewy",
                "Krzewy",
                (
                    P("bukszpan-30", "Bukszpan wieczniezielony, 30 cm", 3900, "W doniczce 3 l."),
                    P("hortensja-limelight", "Hortensja bukietowa Limelight", 5900, "Kwitnie od lipca do mrozów."),
                ),
            ),
            ("byliny", "Byliny", (P("jezowka", "Jeżówka purpurowa", 1900, "Wabi motyle, zimuje bez okrycia."),)),
        ),
    )
}

STYLE = """
:root { color-scheme: light dark; --page: light-dark(#fff, #10151c); --sunken: light-dark(#f4f6f8, #181f28);
  --ink: light-dark(#14181f, #e9edf2); --ink-2: light-dark(#4b5563, #b6bfcb); --line: light-dark(#dce1e7, #2b3541);
  --accent: light-dark(#0a58a6, #6cb6ff); --on-accent: light-dark(#fff, #0b1420); --red: light-dark(#b42318, #f97066); }
* { box-sizing: border-box; }
body { margin: 0; font: 1rem/1.5 system-ui, "Noto Sans", sans-serif; background: var(--page); color: var(--ink); }
header, main, footer { max-width: 60rem; margin: 0 auto; padding: 1rem; }
header { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; align-items: baseline;
  border-bottom: 1px solid var(--line); }
header b { font-size: 1.25rem; } header a, footer a { color: inherit; } a { color: var(--accent); }
h1 { font-size: 1.75rem; line-height: 1.25; margin: .5rem 0 1rem; } h2 { font-size: 1.125rem; margin: 0; }
footer, .note { color: var(--ink-2); font-size: .875rem; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: 1rem;
  padding: 0; list-style: none; }
.grid li { background: var(--sunken); border-radius: 6px; padding: 1rem; } .price { font-weight: 600; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .5rem .75rem .5rem 0;
  border-bottom: 1px solid var(--line); vertical-align: middle; } .broken { color: var(--red); font-weight: 600; }
form.row { display: flex; gap: .5rem; } form.row select { min-width: 0; flex: 1 1 8rem; }
label { display: block; margin: 0 0 1rem; }
input, select, button { font: inherit; min-height: 2.75rem; padding: .25rem .75rem; border-radius: 6px;
  border: 1px solid var(--ink-2); background: var(--page); color: var(--ink); }
button { background: var(--accent); border-color: var(--accent); color: var(--on-accent); cursor: pointer; }
@media (max-width: 40rem) { th:nth-child(2), td:nth-child(2) { display: none; } }
"""


def money(grosz: int) -> str:
    """`649,00 zł`, with narrow spaces as Polish writes thousands."""
    whole = f"{grosz // 100:,}".replace(",", "\u202f")
    return f"{whole},{grosz % 100:02d}\u00a0zł"


def frame(title: str, body: str, head: str = "", foot: str = "") -> str:
    """A whole page; `body`, `head` and `foot` are HTML."""
    return (
        f'<!DOCTYPE html>\n<html lang="pl">\n<head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="stylesheet" href="/style.css"></head>\n<body>'
        f"{head and f'<header>{head}</header>'}\n<main>{body}</main>\n"
        f"<footer>{foot}</footer></body></html>\n"
    )


def page(shop: Shop, title: str, body: str) -> str:
    """A page of one shop within its frame."""
    at = f"/{shop.slug}"
    links = "".join(f'<a href="{at}/kategoria/{slug}">{name}</a>' for slug, name, _ in shop.categories)
    head = f'<b><a href="{at}/">{escape(shop.name)}</a></b>{links}<a href="{at}/koszyk">Koszyk</a>'
    foot = f"{escape(shop.domain)} · sklep pokazowy, niczego tu nie kupisz"
    return frame(f"{title} · {shop.name}", body, head, foot)


def home(shop: Shop) -> str:
    return page(shop, "Strona główna", f"<h1>{escape(shop.motto)}</h1>{_grid(shop, list(shop.products.values()))}")


def category(shop: Shop, slug: str) -> str | None:
    """None for a category that the shop doesn't have."""
    for key, name, products in shop.categories:
        if key == slug:
            return page(shop, name, f"<h1>{escape(name)}</h1>{_grid(shop, products)}")
    return None


def _grid(shop: Shop, products: tuple[Product, ...] | list[Product]) -> str:
    items = "".join(
        f'<li><h2><a href="/{shop.slug}/produkt/{product.slug}">{escape(product.name)}</a></h2>'
        f'<p>{escape(product.says)}</p><p class="price">{money(product.price)}</p></li>'
        for product in products
    )
    return f'<ul class="grid">{items}</ul>'


def product(shop: Shop, slug: str) -> str | None:
    """None for a product that the shop doesn't have."""
    item = shop.products.get(slug)
    if item is None:
        return None
    return page(
        shop,
        item.name,
        f'<h1>{escape(item.name)}</h1><p>{escape(item.says)}</p><p class="price">{money(item.price)}</p>'
        f'<form action="/{shop.slug}/koszyk"><input type="hidden" name="produkt" value="{item.slug}">'
        "<button>Dodaj do koszyka</button></form>",
    )


def cart(shop: Shop, slug: str) -> str:
    """The cart with one product; an unknown one leaves it empty."""
    item = shop.products.get(slug)
    if item is None:
        return page(shop, "Koszyk", "<h1>Koszyk</h1><p>Koszyk jest pusty.</p>")
    return page(
        shop,
        "Koszyk",
        f'<h1>Koszyk</h1><p>{escape(item.name)}, 1 szt.</p><p class="price">Razem {money(item.price)}</p>'
        f'<form action="/{shop.slug}/zamowienie"><button>Do kasy</button></form>',
    )


def checkout(shop: Shop, token: str) -> str:
    fields = "".join(
        f'<label>{label}<br><input name="{name}" autocomplete="{auto}"></label>'
        for name, label, auto in (
            ("imie", "Imię i nazwisko", "name"),
            ("adres", "Adres dostawy", "street-address"),
            ("email", "E-mail", "email"),
        )
    )
    return page(
        shop,
        "Zamówienie",
        f'<h1>Zamówienie</h1><form method="post" action="/{shop.slug}/zamowienie">'
        f'<input type="hidden" name="token" value="{token}">{fields}<button>Zamawiam i płacę</button></form>',
    )


def payment(shop: Shop, token: str) -> str:
    return page(
        shop,
        "Płatność",
        f'<h1>Płatność</h1><p>BLIK, karta albo przelew.</p><form method="post" action="/{shop.slug}/platnosc">'
        f'<input type="hidden" name="token" value="{token}">'
        '<label>Kod BLIK<br><input name="blik" inputmode="numeric"></label><button>Zapłać</button></form>',
    )


def thanks(shop: Shop) -> str:
    return page(shop, "Dziękujemy", "<h1>Dziękujemy za zamówienie</h1><p>Potwierdzenie wysłaliśmy e-mailem.</p>")


def payment_failed(shop: Shop) -> str:
    return page(shop, "Płatność", "<h1>Płatność nie powiodła się</h1><p>Operator płatności nie odpowiada.</p>")


def missing(shop: Shop) -> str:
    return page(shop, "Nie ma takiej strony", "<h1>Nie ma takiej strony</h1>")
