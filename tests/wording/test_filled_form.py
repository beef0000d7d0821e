"""What was typed goes back into the page's own form, escaped, and into no other."""

from __future__ import annotations

import pytest

from wording.filled_form import filled

PAGE = """<form method="post" action="/language/"><input name="text" value="x"></form>
<details><summary>Odpowiedz</summary><details class="field">
<form method="post" novalidate>
  <input type="hidden" name="csrfmiddlewaretoken" value="fresh"><input type="hidden" name="key" value="new">
  <input name="phone" value="600" required><input type="password" name="password">
  <textarea name="text" rows="6">
old</textarea>
  <input type="radio" name="what" value="closed" checked><input type="radio" name="what" value="slow">
  <input type="checkbox" name="all" checked>
  <select name="to"><option value="1" selected>Ala</option><option value="2">Ola</option></select>
  <button name="do" value="send">Wyślij</button>
</form></details></details>"""
TYPED = {
    "csrfmiddlewaretoken": ["stale"], "key": ["old"], "phone": ['"><script>'], "password": ["tajne"],
    "text": ["</textarea><b>Kręci się kółko & nic"], "what": ["slow"], "to": ["2"], "do": ["send"],
}  # fmt: skip


def test_a_form_comes_back_as_it_was_typed_with_the_token_of_the_page() -> None:
    page = filled(PAGE, "/report/", "/report/", TYPED, "<p>Nie wysłano</p>")
    assert (
        page
        == """<form method="post" action="/language/"><input name="text" value="x"></form>
<details open=""><summary>Odpowiedz</summary><details class="field" open="">
<p>Nie wysłano</p><form method="post" novalidate action="/report/">
  <input type="hidden" name="csrfmiddlewaretoken" value="fresh"><input type="hidden" name="key" value="old">
  <input name="phone" value="&quot;&gt;&lt;script&gt;" required><input type="password" name="password">
  <textarea name="text" rows="6">
&lt;/textarea&gt;&lt;b&gt;Kręci się kółko &amp; nic</textarea>
  <input type="radio" name="what" value="closed"><input type="radio" name="what" value="slow" checked="">
  <input type="checkbox" name="all">
  <select name="to"><option value="1">Ala</option><option value="2" selected="">Ola</option></select>
  <button name="do" value="send">Wyślij</button>
</form></details></details>"""
    )


@pytest.mark.parametrize("action", ["/other/", "/report/new/"])
def test_a_page_without_the_form_is_told_so(action: str) -> None:
    assert filled(PAGE, "/report/", action, TYPED, "") is None


def test_of_two_forms_for_one_address_the_one_with_the_typed_fields_is_filled() -> None:
    one, two = (f'<form method="post" action="/a/"><input name="{name}" value=""></form>' for name in ("x", "y"))
    assert filled(one + two, "/", "/a/", {"y": ["1"]}, "!") == one + "!" + two.replace('value=""', 'value="1"')
