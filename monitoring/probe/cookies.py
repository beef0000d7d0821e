"""Cookies of one check, by the rules of RFC 6265 as browsers keep them."""

from collections.abc import Mapping, Sequence
from http.cookies import Morsel

import aiohttp
from aiohttp.abc import AbstractCookieJar
from aiohttp.typedefs import LooseCookies
from yarl import URL

# Registries sell names below these of every national domain, and below those of ours (publicsuffix.org lists them all);
# a cookie for such a domain would be sent to strangers. A label too many here would refuse a shop its own cookie.
_EVERYWHERE = frozenset(["ac", "co", "com", "edu", "gov", "net", "org"])
_POLISH = """
    agro aid art asso atm augustow auto babia-gora bedzin beskidy bialowieza bialystok bielawa bieszczady biz
    boleslawiec bydgoszcz bytom cieszyn czeladz czest dlugoleka elblag elk gda gdansk gdynia gliwice glogow gmina
    gniezno gorlice grajewo gsm ilawa info jaworzno jelenia-gora jgora kalisz karpacz kartuzy kaszuby katowice
    kazimierz-dolny kepno ketrzyn klodzko kobierzyce kolobrzeg konin konskowola krakow kutno lapy lebork legnica
    lezajsk limanowa lomza lowicz lubin lukow mail malbork malopolska mazowsze mazury mbone med media miasta mielec
    mielno mil mragowo naklo nieruchomosci nom nowaruda nysa olawa olecko olkusz olsztyn opoczno opole ostroda
    ostroleka ostrowiec ostrowwlkp pc pila pisz podhale podlasie polkowice pomorskie pomorze powiat poznan priv
    prochowice pruszkow przeworsk pulawy radom rawa-maz realestate rel rybnik rzeszow sanok sejny sex shop sklep
    skoczow slask slupsk sopot sos sosnowiec stalowa-wola starachowice stargard suwalki swidnica swiebodzin
    swinoujscie szczecin szczytno szkola targi tarnobrzeg tgory tm tourism travel turek turystyka tychy ustka
    walbrzych warmia warszawa waw wegrow wielun wlocl wloclawek wodzislaw wolomin wroc wroclaw zachpomor zagan
    zakopane zarow zgora zgorzelec
"""
_IN_POLAND = frozenset(_POLISH.split())
_NO_URL = URL()


class ShopCookies(aiohttp.CookieJar):
    """A jar that takes no cookie for a whole registry's domain, and none marked Secure over http."""

    def __init__(self) -> None:
        super().__init__(unsafe=True)  # shops on bare addresses set cookies too

    def update_cookies_from_headers(self, headers: Sequence[str], response_url: URL) -> None:
        """By way of `update_cookies`, which aiohttp's jar passes by."""
        AbstractCookieJar.update_cookies_from_headers(self, headers, response_url)

    def update_cookies(self, cookies: LooseCookies, response_url: URL = _NO_URL) -> None:
        pairs = cookies.items() if isinstance(cookies, Mapping) else cookies
        super().update_cookies([pair for pair in pairs if not _is_refused(pair[1], response_url)], response_url)


def _is_refused(cookie: object, url: URL) -> bool:
    if not isinstance(cookie, Morsel):
        return False
    return is_registry(str(cookie["domain"]).lstrip("."), url.host or "") or (
        bool(cookie["secure"]) and url.scheme != "https"
    )


def is_registry(domain: str, host: str) -> bool:
    """Whether a cookie's domain is one under which strangers register names, such as `pl` or `com.pl`."""
    if not domain or domain.lower() == host.lower():
        return False
    match domain.lower().split("."):
        case [_]:
            return True
        case [label, "pl"]:
            return label in _EVERYWHERE | _IN_POLAND
        case [label, nation]:
            return len(nation) == 2 and label in _EVERYWHERE
    return False
