"""Letters that let somebody in: a new password, a sign-in link, an invitation. The newest of a kind is the only one.

Who asks gets the same answer in the same time whoever exists: only a row is written, and a task of the mail lane
looks whose it is. The links begin with `BASE_URL` and die with use, with a newer letter and by age.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import Max, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.http import base36_to_int, urlsafe_base64_decode, urlsafe_base64_encode

from accounts.models import Client, Letter, User
from wording.texts import one_line

logger = logging.getLogger(__name__)

SIGN_IN_LIFE = timedelta(minutes=30)
GIVE_UP = {
    Letter.Kind.SIGN_IN: SIGN_IN_LIFE,
    Letter.Kind.PASSWORD: timedelta(hours=12),
    Letter.Kind.INVITATION: timedelta(days=1),
}
TEMPLATES = {
    Letter.Kind.SIGN_IN: "sign_in_mail", Letter.Kind.PASSWORD: "password_mail",
    Letter.Kind.INVITATION: "invitation_mail",
}  # fmt: skip
FIRST_PAUSE = timedelta(seconds=30)  # doubled after each try; also the time that one try may take
AT_ONCE = 20
HANDLE_BYTES = 16


class Links(PasswordResetTokenGenerator):
    """Signs the password, the last sign-in and the newest letter, so that a used or older link is dead."""

    def __init__(self, kind: str, salt: str, life: timedelta | None = None) -> None:
        super().__init__()
        self.kind, self.key_salt, self.life = kind, salt, life

    def _make_hash_value(self, user: User, timestamp: int) -> str:
        newest = Letter.objects.filter(person=user, kind=self.kind).aggregate(pk=Max("pk"))["pk"]
        # Without a letter it is Django's own value: links from before this table work until a newer letter
        return f"{super()._make_hash_value(user, timestamp)}{newest or ''}"

    def check_token(self, user: User | None, token: str | None) -> bool:
        if not super().check_token(user, token):
            return False
        made = base36_to_int(str(token).split("-", 1)[0])
        return self.life is None or self._num_seconds(self._now()) - made <= self.life.total_seconds()


PASSWORD = Links(Letter.Kind.PASSWORD, "django.contrib.auth.tokens.PasswordResetTokenGenerator")
SIGN_IN = Links(Letter.Kind.SIGN_IN, "accounts.letters.sign_in", SIGN_IN_LIFE)
INVITATION = Links(Letter.Kind.INVITATION, "accounts.invitations")


def person_key(person: User) -> str:
    """How a link names its person."""
    return urlsafe_base64_encode(person.handle.bytes)


def named(key: str) -> QuerySet[User]:
    """Whom a link names, nobody where it can't be read; links of before `handle` hold the person's number."""
    try:
        value = urlsafe_base64_decode(key)
        handle = {"handle": UUID(bytes=value)} if len(value) == HANDLE_BYTES else {"pk": int(value)}
    except (ValueError, OverflowError):
        return User.objects.none()
    return User.objects.filter(**handle, is_active=True)


def link_to(person: User, kind: str) -> str:
    """The whole address; `person` must be as the database has it."""
    if kind == Letter.Kind.PASSWORD:
        path = reverse("password_reset_confirm", args=[person_key(person), PASSWORD.make_token(person)])
    elif kind == Letter.Kind.INVITATION:
        path = reverse("invitation", args=[f"{person_key(person)}.{INVITATION.make_token(person)}"])
    else:
        path = reverse("sign-in-by-letter", args=[f"{person_key(person)}.{SIGN_IN.make_token(person)}"])
    return f"{settings.BASE_URL}{path}"


def person_of(token: str) -> User | None:
    """Whom a sign-in link lets in. Call it in a transaction: the row is locked, so that a link is used once."""
    key, _dot, signature = token.partition(".")
    person = named(key).select_for_update().first()
    return person if person and SIGN_IN.check_token(person, signature) else None


def ask(email: str, kind: str, *, at: datetime) -> None:
    """Somebody wants a letter; nothing is looked up here."""
    Letter.objects.create(email=email.lower(), kind=kind, asked_at=at, next_try_at=at)


def invite(person: User, *, client: Client | None = None, at: datetime) -> None:
    """A letter by which an invited person chooses a password; who has one is told of the client only."""
    Letter.objects.create(
        email=person.email, kind=Letter.Kind.INVITATION, person=person, client=client, asked_at=at, next_try_at=at
    )


def send_due(now: Callable[[], datetime]) -> int:
    """Send the letters that are due; how many left. A try that dies with its worker is made again."""
    sent = 0
    for _turn in range(AT_ONCE):
        letter = _claim(now())
        if letter is None:
            break
        sent += _send(letter, at=now())
    return sent


@transaction.atomic
def _claim(at: datetime) -> Letter | None:
    """The next due one, put off until it may be tried again."""
    letter = Letter.objects.select_for_update(skip_locked=True).filter(next_try_at__lte=at).order_by("pk").first()
    if letter:
        letter.next_try_at = at + FIRST_PAUSE * 2**letter.tries
        letter.tries += 1
        letter.save(update_fields=["next_try_at", "tries"])
    return letter


def _send(letter: Letter, *, at: datetime) -> bool:
    person = User.objects.filter(email=letter.email, is_active=True).first()
    if person is None or not (person.has_usable_password() or letter.kind == Letter.Kind.INVITATION):
        letter.delete()  # nobody's: what a stranger typed isn't kept
        return False
    Letter.objects.filter(pk=letter.pk).update(person=person)
    if _is_replaced(letter, person):
        Letter.objects.filter(pk=letter.pk).update(next_try_at=None, error="")
        return False
    facts = _facts(letter, person)
    name = TEMPLATES[Letter.Kind(letter.kind)]
    with translation.override(person.language):
        subject = render_to_string(f"accounts/{name}_subject.txt", facts)
        body = render_to_string(f"accounts/{name}.txt", facts)
    try:
        send_mail(one_line(subject), body, None, [person.email])
    except OSError as error:  # every SMTP error is one
        _failed(letter, error, at=at)
        return False
    Letter.objects.filter(pk=letter.pk).update(next_try_at=None, sent_at=at, error="")
    return True


def _is_replaced(letter: Letter, person: User) -> bool:
    """Whether a newer one of its kind makes its link dead; without a link, one that tells of the same client."""
    newer = Letter.objects.filter(person=person, kind=letter.kind, pk__gt=letter.pk)
    if letter.kind == Letter.Kind.INVITATION and person.has_usable_password():
        newer = newer.filter(client=letter.client_id)
    return newer.exists()


def _facts(letter: Letter, person: User) -> dict[str, object]:
    """What the letter's text is made of; an invitation of somebody who has a password holds no link to set one."""
    if letter.kind != Letter.Kind.INVITATION:
        return {"person": person, "link": link_to(person, letter.kind)}
    new = not person.has_usable_password()
    link = link_to(person, letter.kind) if new else settings.BASE_URL
    return {"person": person, "client": letter.client, "link": link, "new": new}


def _failed(letter: Letter, error: OSError, *, at: datetime) -> None:
    """Tried again until it is too late to help; then it stands among the given up ones on the page of people."""
    logger.warning("letter %s was not sent: %s", letter.pk, error)
    reason = f"{type(error).__name__}: {error}"[:300]
    changed: dict[str, object] = {"error": reason}
    if letter.next_try_at and letter.next_try_at - letter.asked_at > GIVE_UP[Letter.Kind(letter.kind)]:
        changed["next_try_at"] = None
    Letter.objects.filter(pk=letter.pk).update(**changed)


def unsent() -> QuerySet[Letter]:
    """What did not leave yet, or never, newest first."""
    return Letter.objects.exclude(error="").select_related("person").order_by("-asked_at")
