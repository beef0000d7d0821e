"""What the three small scripts do in a real browser, with its clock in our hands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route

pytestmark = pytest.mark.browser
STATIC = Path(__file__).resolve().parents[2] / "sla_portal" / "static" / "sla_portal"
HOME = "http://portal.test/"
NOW = 1_800_000_000


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    opened = context.new_page()
    opened.clock.install(time=NOW)
    opened.clock.pause_at(NOW + 1)
    yield opened
    context.close()


def show(page: Page, content: str, body: str = "", script: str = "live.js") -> None:
    """Opens a page of ours that holds only this content; every address answers with it, and a post is counted."""
    html = (
        f"<!doctype html><title>x</title><script src='/{script}' defer></script><body {body}>"
        f"<div id='unsent' tabindex='-1' hidden>unsent</div><div id='offline' hidden>offline</div>{content}</body>"
    )

    def answer(route: Route) -> None:
        name = route.request.url.removeprefix(HOME)
        if name.endswith(".js"):
            route.fulfill(body=(STATIC / name).read_text(), content_type="text/javascript")
        else:
            route.fulfill(body=html, content_type="text/html; charset=utf-8")

    page.unroute_all()
    page.route("**/*", answer)
    page.goto(HOME)


def clock(left: int, until: int | None = None) -> str:
    runs = f" data-until='{until}'" if until else ""
    return f"<p id='c' data-left='{left}' data-now='{NOW}'{runs}>?</p>"


def words(page: Page) -> str:
    return page.locator("#c").inner_text().replace("\u00a0", " ")


def ticks(page: Page) -> int:
    return int(page.evaluate("window.ticks || 0"))


def listen(page: Page) -> None:
    page.add_init_script("addEventListener('tick', () => { window.ticks = (window.ticks || 0) + 1 }, true)")


COUNTED_ON = [
    (0, 12779, "3 h 32 min"),
    (0, 4085, "1 h 08 min"),
    (0, 601, "10 min"),
    (2, 601, "9 min 59 s"),
    (5, 45, "40 s"),
    (10, 130, "2 min"),
    (10, 135, "2 min 05 s"),
    (60, 12779, "3 h 31 min"),
    (60, 45, "0 s"),
    (60, -4080, "1 h 09 min"),
]
"""Seconds after the page was made, the figure that it was sent, what it then says."""


def test_a_clock_counts_on_from_the_server_s_figure(page: Page) -> None:
    show(page, "".join(clock(left) for _after, left, _words in COUNTED_ON))
    passed, shown = 0, []
    for number, (after, left, _words) in enumerate(COUNTED_ON):
        page.clock.run_for((after - passed) * 1000)
        passed = after
        shown.append((after, left, page.locator("#c").nth(number).inner_text().replace("\u00a0", " ")))
    assert shown == COUNTED_ON


def test_a_clock_stands_once_its_hours_are_over(page: Page) -> None:
    show(page, clock(300, until=NOW + 20))
    page.clock.run_for(60_000)
    assert words(page) == "4 min 40 s"


def test_a_clock_that_stands_already_doesn_t_move(page: Page) -> None:
    show(page, clock(300, until=NOW - 5))
    page.clock.run_for(60_000)
    assert words(page) == "5 min"


def test_news_is_asked_for_at_the_page_s_pace(page: Page) -> None:
    listen(page)
    show(page, "", "data-live='10'")
    page.clock.run_for(35_000)
    assert ticks(page) == 3


def test_a_page_without_a_pace_never_asks(page: Page) -> None:
    listen(page)
    show(page, "", "data-live='0'")
    page.clock.run_for(120_000)
    assert ticks(page) == 0


def test_a_hidden_tab_is_silent_and_asks_at_once_when_seen_again(page: Page) -> None:
    listen(page)
    page.add_init_script("Object.defineProperty(document, 'hidden', { get: () => window.unseen || false })")
    show(page, clock(7200), "data-live='10'")
    page.evaluate("window.unseen = true")
    page.clock.run_for(3_600_000)
    assert (ticks(page), words(page)) == (0, "2 h")
    page.evaluate("window.unseen = false; document.dispatchEvent(new Event('visibilitychange'))")
    assert (ticks(page), words(page)) == (1, "1 h")


def test_the_live_switch_stops_the_asking_but_not_the_clocks(page: Page) -> None:
    listen(page)
    switch = "<script src='/forms.js' defer></script>" + clock(130) + "<input type='checkbox' data-live-switch checked>"
    show(page, switch, "data-live='10'")
    page.get_by_role("checkbox").uncheck()
    page.clock.run_for(30_000)
    assert (ticks(page), words(page)) == (0, "1 min 40 s")
    show(page, switch, "data-live='10'")
    assert page.get_by_role("checkbox").is_checked() is False


SWAP = """([busy, type]) => {
  const target = document.getElementById('target');
  if (busy === 'focus') target.querySelector('textarea').focus();
  if (busy === 'open') target.querySelector('details').open = true;
  const detail = { target, shouldSwap: true, xhr: { responseURL: location.href },
    requestConfig: { triggeringEvent: new Event(type) } };
  document.body.dispatchEvent(new CustomEvent('htmx:beforeSwap', { detail }));
  return detail.shouldSwap;
}"""


@pytest.mark.parametrize(
    ("busy", "event", "swaps"),
    [("no", "tick", True), ("focus", "tick", False), ("open", "tick", False), ("focus", "click", True)],
)
def test_a_refresh_never_replaces_a_form_in_use(page: Page, busy: str, event: str, swaps: bool) -> None:
    form = "<form><textarea></textarea></form><details><summary>s</summary><form></form></details>"
    show(page, f"<div id='target'>{form}</div>")
    assert page.evaluate(SWAP, [busy, event]) is swaps


SWAP_ROW = """() => {
  const row = document.getElementById('row'), fresh = row.cloneNode(true);
  row.dispatchEvent(new CustomEvent('htmx:oobBeforeSwap', { bubbles: true, detail: { target: row } }));
  row.replaceWith(fresh);
  fresh.dispatchEvent(new CustomEvent('htmx:oobAfterSwap', { bubbles: true, detail: { target: fresh } }));
  return document.activeElement.textContent;
}"""


def test_the_focus_stays_on_the_same_button_of_a_row_that_changes(page: Page) -> None:
    show(page, "<p id='row'><a href='/x'>MAK-0142</a> <button>Pisz</button></p><button>Inny</button>")
    page.get_by_text("Pisz").focus()
    assert page.evaluate(SWAP_ROW) == "Pisz"
    page.get_by_text("Inny").focus()
    assert page.evaluate(SWAP_ROW) == "Inny"


FORM = """<form method="post" data-draft="report"><input type="radio" name="what" value="a" aria-label="a">
<textarea name="said"></textarea><input type="password" name="secret"><button name="go" value="1">Go</button></form>"""


def test_half_typed_text_comes_back_but_a_password_does_not(page: Page) -> None:
    show(page, FORM, "data-user='7'", "drafts.js")
    page.locator("[name=what]").check()
    page.locator("[name=said]").fill("Koszyk jest pusty")
    page.locator("[name=secret]").fill("tajne")
    show(page, FORM, "data-user='7'", "drafts.js")
    assert page.locator("[name=said]").input_value() == "Koszyk jest pusty"
    assert page.locator("[name=what]").is_checked()
    assert page.locator("[name=secret]").input_value() == ""
    assert "tajne" not in page.evaluate("JSON.stringify(localStorage)")


def test_a_draft_is_its_author_s_only(page: Page) -> None:
    show(page, FORM, "data-user='7'", "drafts.js")
    page.locator("[name=said]").fill("Koszyk jest pusty")
    show(page, FORM, "data-user='8'", "drafts.js")
    assert page.locator("[name=said]").input_value() == ""


def test_the_receipt_forgets_the_draft(page: Page) -> None:
    show(page, FORM, script="drafts.js")
    page.locator("[name=said]").fill("Koszyk jest pusty")
    show(page, "<p data-draft-done='report'>MAK-0142</p>", script="drafts.js")
    assert page.evaluate("localStorage.length") == 0


def test_a_draft_doesn_t_overwrite_what_the_server_sent_back(page: Page) -> None:
    show(page, FORM, script="drafts.js")
    page.locator("[name=said]").fill("stare")
    show(page, "<div class='errors' tabindex='-1'>!</div>" + FORM, script="drafts.js")
    assert page.locator("[name=said]").input_value() == ""


def test_what_is_wrong_has_the_focus(page: Page) -> None:
    show(page, "<div class='errors' tabindex='-1'>!</div>" + FORM, script="forms.js")
    assert page.evaluate("document.activeElement.className") == "errors"


COUNT_POSTS = """document.addEventListener('submit', e => {
  window.sent = (window.sent || 0) + !e.defaultPrevented;
  e.preventDefault();
})"""


def test_a_double_press_sends_once_and_a_later_one_again(page: Page) -> None:
    show(page, FORM, script="forms.js")
    page.evaluate(COUNT_POSTS)
    page.locator("button").dblclick()
    assert page.evaluate("window.sent") == 1
    page.clock.run_for(8_001)
    page.locator("button").click()
    assert page.evaluate("window.sent") == 2


def test_without_a_connection_nothing_is_sent_and_the_phone_is_shown(page: Page) -> None:
    show(page, FORM, script="forms.js")
    page.evaluate(COUNT_POSTS)
    page.locator("[name=said]").fill("Koszyk jest pusty")
    page.context.set_offline(True)
    page.locator("button").click()
    assert page.evaluate("window.sent") == 0
    assert page.evaluate("document.activeElement.id") == "unsent"
    assert page.locator("[name=said]").input_value() == "Koszyk jest pusty"


ROWS = "".join(
    f"<tr class='q' id='q{n}'><td class='q-nr'><a href='/incidents/{n}/'>{n}</a></td>"
    f"<td><button data-key='r' id='r{n}'>Reaguję</button></td></tr>"
    for n in (1, 2, 3)
)
QUEUE = f"<input type='search'><table class='queue'>{ROWS}</table><details id='keys'><summary>?</summary></details>"


def press(page: Page, keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def here(page: Page) -> str:
    return str(page.evaluate("[...document.querySelectorAll('.here[aria-current]')].map(r => r.id).join()"))


@pytest.mark.parametrize(("keys", "row"), [("j", "q1"), ("jj", "q2"), ("jjjjj", "q3"), ("jjk", "q1"), ("k", "q1")])
def test_j_and_k_walk_the_rows_and_stop_at_the_ends(page: Page, keys: str, row: str) -> None:
    show(page, QUEUE, "data-shortcuts='on'", "queue.js")
    press(page, keys)
    assert here(page) == row


def test_r_only_focuses_the_button_of_the_row(page: Page) -> None:
    show(page, QUEUE, "data-shortcuts='on'", "queue.js")
    press(page, "jjr")
    assert page.evaluate("document.activeElement.id") == "r2"
    assert page.url == HOME


@pytest.mark.parametrize(
    ("key", "address"), [("u", "incidents/2/#reply"), ("p", "incidents/2/pause/"), ("Enter", "incidents/2/")]
)
def test_a_key_opens_the_row_where_its_action_is(page: Page, key: str, address: str) -> None:
    show(page, QUEUE, "data-shortcuts='on'", "queue.js")
    press(page, "jj")
    page.keyboard.press(key)
    page.wait_for_url(HOME + address)
    assert page.url == HOME + address


def test_on_an_incident_u_opens_and_focuses_the_reply(page: Page) -> None:
    form = "<form><input type='hidden'><textarea id='t'></textarea></form>"
    fold = f"<details><summary data-key='u'>Napisz</summary>{form}</details>"
    show(page, fold, "data-shortcuts='on'", "queue.js")
    press(page, "u")
    assert page.evaluate("document.activeElement.id") == "t"


def test_a_key_follows_the_link_that_carries_it(page: Page) -> None:
    show(page, "<a href='/incidents/MAK-0142/pause/' data-key='p'>Wstrzymaj</a>", "data-shortcuts='on'", "queue.js")
    press(page, "p")
    page.wait_for_url(HOME + "incidents/MAK-0142/pause/")
    assert page.url.endswith("/pause/")


def test_slash_searches_and_a_typed_letter_is_only_a_letter(page: Page) -> None:
    show(page, QUEUE, "data-shortcuts='on'", "queue.js")
    press(page, "/j")
    assert page.locator("input").input_value() == "j"
    assert here(page) == ""


def test_a_question_mark_opens_the_list_of_keys(page: Page) -> None:
    show(page, QUEUE, "data-shortcuts='on'", "queue.js")
    press(page, "?")
    assert page.evaluate("document.getElementById('keys').open") is True


def test_letters_do_nothing_where_the_person_switched_them_off(page: Page) -> None:
    show(page, QUEUE, "data-shortcuts='off'", "queue.js")
    press(page, "jjr?")
    assert here(page) == ""


def test_the_chosen_row_is_still_chosen_after_a_refresh(page: Page) -> None:
    show(page, QUEUE, "data-shortcuts='on'", "queue.js")
    press(page, "jj")
    page.evaluate("const b = document.querySelector('tbody'); b.replaceChildren(...[...b.cloneNode(true).children])")
    page.evaluate("document.querySelectorAll('tr').forEach(row => row.classList.remove('here'))")
    page.evaluate("document.body.dispatchEvent(new Event('htmx:afterSettle'))")
    assert here(page) == "q2"


def test_the_bar_of_time_used_goes_on_with_its_countdown(page: Page) -> None:
    row = (
        "<table class='queue'><tr class='q'><td><span data-left='50' data-rest='50' data-total='100'>50 s</span></td>"
        "<td class='q-used'><svg class='used'><rect width='40' height='8'/></svg>40 %</td></tr></table>"
    )
    show(page, row, "data-shortcuts='off'", "queue.js")
    page.clock.run_for(1000)
    assert page.inner_text(".q-used") == "50\u00a0%"
    assert page.get_attribute(".used rect", "width") == "50"
    show(page, row, script="live.js")
    page.clock.run_for(3000)
    assert page.get_attribute("[data-total]", "data-rest") == "47"
