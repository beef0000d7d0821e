"""The demo shops work as shops do, break as the control page says, and remember it."""

import asyncio
import re
import ssl
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest

from monitoring.probe.check import check
from monitoring.probe.specification import CheckSpec, Result
from monitoring.probe.verdict import judge
from sla_portal.demo import shops as demo_shops
from sla_portal.demo.shop_pages import SHOPS, money
from sla_portal.demo.shops import FAULTS, Running, main, start

Visit = Callable[[Running, aiohttp.ClientSession], Awaitable[None]]


def at_the_shops(folder: Path, visit: Visit) -> None:
    async def run() -> None:
        running = await start(folder, 0, 0, at=datetime.now(UTC))
        base = f"http://127.0.0.1:{running.port}"
        try:
            async with asyncio.timeout(30), aiohttp.ClientSession(base) as session:
                await visit(running, session)
        finally:
            await running.runner.cleanup()

    asyncio.run(run())


async def look(running: Running, path: str, trusting: ssl.SSLContext | None = None, timeout_ms: int = 3_000) -> Result:
    url = f"http://127.0.0.1:{running.port}{path}"
    spec = CheckSpec(id="1", url=url, networks=("127.0.0.1/32",), timeout_ms=timeout_ms, slow_ms=100)
    return judge(spec, await check(spec, tls=trusting))


async def break_shop(session: aiohttp.ClientSession, slug: str, fault: str) -> int:
    async with session.put(f"/api/shops/{slug}", json={"fault": fault}) as response:
        return response.status


def test_every_page_of_every_shop_answers(tmp_path: Path) -> None:
    async def visit(running: Running, session: aiohttp.ClientSession) -> None:
        for shop in SHOPS.values():
            paths = ["", *(f"kategoria/{slug}" for slug, _, _ in shop.categories)]
            paths += [f"produkt/{slug}" for slug in shop.products] + ["koszyk", "zamowienie", "platnosc"]
            for path in paths:
                async with session.get(f"/{shop.slug}/{path}") as response:
                    assert (path, response.status, shop.domain in await response.text()) == (path, 200, True)

    at_the_shops(tmp_path, visit)
    assert len(SHOPS) == 9


def test_a_customer_can_order(tmp_path: Path) -> None:
    async def visit(running: Running, session: aiohttp.ClientSession) -> None:
        async with session.get("/tur/koszyk?produkt=namiot-biebrza-2") as response:
            assert "Razem 1\u202f199,00\u00a0zł" in await response.text()
        async with session.get("/tur/zamowienie") as response:
            token = re.findall(r'name="token" value="([^"]+)"', await response.text())[0]
        async with session.post("/tur/zamowienie", data={"token": token}) as response:
            assert response.url.path == "/tur/platnosc"
        async with session.post("/tur/platnosc", data={"token": token}) as response:
            assert "Dziękujemy za zamówienie" in await response.text()
        async with session.post("/tur/platnosc", data={"token": "x"}) as response:
            assert response.status == 403

    at_the_shops(tmp_path, visit)


@pytest.mark.parametrize(
    ("fault", "path", "verdict"),
    [
        ("", "/mak/", ("up", "ok", "")),
        ("down", "/mak/", ("down", "connect", "reset")),
        ("hanging", "/mak/", ("down", "timeout", "")),
        ("database", "/mak/koszyk", ("down", "content", "forbidden")),
        ("payment", "/mak/platnosc", ("down", "status", "")),
        ("payment", "/mak/", ("up", "ok", "")),
        ("short", "/mak/", ("down", "truncated", "short")),
        ("certificate", "/mak/", ("down", "tls", "expired")),
        ("down", "/hurt-mak/", ("up", "ok", "")),
    ],
)
def test_each_fault_is_what_the_probe_sees(tmp_path: Path, fault: str, path: str, verdict: tuple[str, ...]) -> None:
    async def visit(running: Running, session: aiohttp.ClientSession) -> None:
        trusting = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
        assert await break_shop(session, "mak", fault) == 200
        result = await look(running, path, trusting, timeout_ms=1_000)
        assert (result.state, result.reason, result.detail) == verdict
        assert await break_shop(session, "mak", "") == 200
        assert (await look(running, path, trusting)).state == "up"

    at_the_shops(tmp_path, visit)


def test_a_slow_shop_is_degraded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def visit(running: Running, session: aiohttp.ClientSession) -> None:
        await break_shop(session, "mak", "slow")
        result = await look(running, "/mak/")
        assert (result.state, result.reason) == ("degraded", "slow")

    monkeypatch.setattr(demo_shops, "SLOW_SECONDS", 0.2)
    at_the_shops(tmp_path, visit)


def test_faults_survive_a_restart(tmp_path: Path) -> None:
    async def first(running: Running, session: aiohttp.ClientSession) -> None:
        await break_shop(session, "sowa", "database")

    async def second(running: Running, session: aiohttp.ClientSession) -> None:
        async with session.get("/api/shops") as response:
            faults = {shop["slug"]: shop["fault"] for shop in (await response.json())["shops"]}
        assert {slug: fault for slug, fault in faults.items() if fault} == {"sowa": "database"}

    at_the_shops(tmp_path, first)
    authority = (tmp_path / "ca.pem").read_bytes()
    at_the_shops(tmp_path, second)
    assert (tmp_path / "ca.pem").read_bytes() == authority


def test_the_control_page_names_every_shop_and_fault_and_sets_one(tmp_path: Path) -> None:
    async def visit(running: Running, session: aiohttp.ClientSession) -> None:
        async with session.post("/control/lis", data={"fault": "payment"}) as response:
            text = await response.text()
        assert all(shop.domain in text for shop in SHOPS.values())
        assert all(name in text for name in FAULTS.values())
        assert text.count('class="broken"') == 1
        assert (await look(running, "/lis/platnosc")).status == 502

    at_the_shops(tmp_path, visit)


def test_bad_wishes_are_refused_and_change_nothing(tmp_path: Path) -> None:
    async def visit(running: Running, session: aiohttp.ClientSession) -> None:
        assert await break_shop(session, "mak", "explode") == 400
        assert await break_shop(session, "nowhere", "down") == 404
        async with session.put("/api/shops/mak", data=b"not json") as response:
            assert response.status == 400
        foreign = {"Origin": "http://evil.example"}
        async with session.post("/control/mak", data={"fault": "down"}, headers=foreign) as response:
            assert response.status == 403
        assert (await look(running, "/mak/")).state == "up"

    at_the_shops(tmp_path, visit)
    assert not (tmp_path / "faults.json").exists()


def test_a_taken_port_is_said_with_the_way_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def visit(running: Running, session: aiohttp.ClientSession) -> None:
        arguments = ["--port", str(running.port), "--state-dir", str(tmp_path / "second")]
        assert await asyncio.to_thread(main, arguments) == 1

    at_the_shops(tmp_path, visit)
    assert "Free the port or choose another by --port." in capsys.readouterr().err


def test_prices_are_written_as_in_poland() -> None:
    assert [money(99), money(64900), money(119900)] == ["0,99\u00a0zł", "649,00\u00a0zł", "1\u202f199,00\u00a0zł"]
