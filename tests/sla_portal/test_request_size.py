"""However much somebody sends, nothing of it is read beyond the limit, and a sentence says so."""

from __future__ import annotations

from io import BytesIO

import pytest
from django.test import Client

from tests import build
from tests.incidents.test_api import Caller
from tests.pages import text_of

pytestmark = pytest.mark.django_db
LIMIT = 2**20
PAGE = "Wysłana treść ma ponad 1 MB, więc nic nie zapisaliśmy. Wróć, skróć ją i wyślij jeszcze raz."


@pytest.mark.parametrize("path", ["/login/", "/report/", "/accessibility/", "/password/"])
@pytest.mark.parametrize("size", [LIMIT + 1, 10**30])
def test_a_page_refuses_before_it_reads(path: str, size: int) -> None:
    answer = Client().generic("POST", path, content_type="multipart/form-data; boundary=x", CONTENT_LENGTH=str(size))
    assert answer.status_code == 413
    assert PAGE in text_of(answer)


def test_a_file_that_no_form_of_ours_asks_for_is_not_written_to_the_disk() -> None:
    answer = Client().post("/login/", {"username": "x", "file": BytesIO(b"x" * LIMIT)})
    assert answer.status_code == 413
    assert Client().post("/login/", {"username": "x", "file": BytesIO(b"x" * 1000)}).status_code == 200


def test_the_api_says_it_as_json() -> None:
    world = build.world()
    caller = Caller(world.reporter)
    answer = caller.post("incidents/", shop="mak-example", what="closed", sentence="x" * LIMIT)
    assert (answer.status_code, answer.json()) == (413, {"detail": "Treść jest za duża."})
    assert caller.post("incidents/", shop="mak-example", what="closed", sentence="x" * 501).status_code == 400


def test_too_many_fields_or_files_are_refused_with_a_page() -> None:
    fields = {f"a{n}": "1" for n in range(1001)}
    files = {f"a{n}": BytesIO(b"1") for n in range(101)}
    for form in (fields, files):
        answer = Client().post("/login/", form)
        assert (answer.status_code, "Nic nie zapisaliśmy." in text_of(answer)) == (400, True)
