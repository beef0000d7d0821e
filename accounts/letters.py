"""Letters that let somebody in: a new password, a sign-in link, an invitation. The newest of a kind is the only one.

Who asks gets the same answer in the same time whoever exists: only a row is written, and a task of the mail lane
looks whose it is and writes the letter into the outbox. The link is made at each attempt to send and kept nowhere: it
begins with `BASE_URL` and dies with use, with a newer letter and by age.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.db import transaction
from django.db.models import Max, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.http import base36_to_int, urlsafe_base64_decode, urlsafe_base64_encode

from accounts.models import Client, Letter, User
from messaging import outbox
from messaging.models import Channel, Delivery, Notification
from messaging.outbox import Text
from wording.texts import one_line

logger = logging.getLogger(__name__)

# A letter that greylisting holds for a quarter of an hour (`outbox.RETRY_AFTER`: 1, 6, 21 min) still opens the door
SIGN_IN_LIFE = timedelta(minutes=30)
TEMPLATES = {
    Letter.Kind.SIGN_IN: "sign_in",
    Letter.Kind.PASSWORD: "password",
    Letter.Kind.INVITATION: "invitation",
}
AT_ONCE = 20  # letters of one run, so that the next beat comes in
AHEAD = timedelta(minutes=5)  # when a letter that could not be written is looked at again
NO_LINK = "…"  # stands for the link in the row of the outbox
HANDLE_BYTES = 16  # of a UUID; a link of before has the person's number, which is shorter
SUBJECT = 200  # characters that the outbox keeps of a subject


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
    Letter.objects.create(email=email.lower(), kind=kind, asked_at=at, due_at=at)


def invite(person: User, *, client: Client | None = None, at: datetime) -> None:
    """A letter by which an invited person chooses a password; who has one is told of the client only."""
    Letter.objects.create(
        email=person.email, kind=Letter.Kind.INVITATION, person=person, client=client, asked_at=at, due_at=at
    )


def hand_over(*, at: datetime) -> int:
    """Write what was asked by `at` into the outbox; how many letters. One that can't be written stops no other."""
    due = Letter.objects.filter(due_at__lte=at).order_by("pk").values_list("pk", flat=True)[:AT_ONCE]
    return sum(_hand_over_safely(pk, at) for pk in list(due))


def _hand_over_safely(pk: int, at: datetime) -> bool:
    try:
        return _hand_over(pk, at)
    except Exception:
        logger.exception("letter %s cannot be written", pk)
        Letter.objects.filter(pk=pk).update(due_at=at + AHEAD)
        return False


@transaction.atomic
def _hand_over(pk: int, at: datetime) -> bool:
    """Whether the letter became a row of the outbox; not where another task holds it."""
    due = Letter.objects.select_for_update(skip_locked=True, of=("self",)).select_related("client")
    letter = due.filter(pk=pk, due_at__lte=at).first()
    if letter is None:
        return False
    person = User.objects.filter(email=letter.email, is_active=True).first()
    if person is None or not _is_for(letter, person):
        letter.delete()  # nobody's: what a stranger typed isn't kept
        return False
    letter.person, letter.due_at = person, None
    if not _is_replaced(letter, person):
        letter.notification = _row(letter, person, at)
    letter.save(update_fields=["person", "due_at", "notification"])
    return letter.notification is not None


def _row(letter: Letter, person: User, at: datetime) -> Notification:
    """The letter in the outbox, without its link."""
    facts = _facts(letter, person) | {"link": NO_LINK}
    with translation.override(person.language):
        subject = _rendered(letter, "_subject.txt", facts)
        body = _rendered(letter, ".txt", facts)
    return Notification.objects.create(
        key=f"letter-{letter.pk}",
        recipient=person,
        channel=Channel.EMAIL,
        address=person.email,
        subject=one_line(subject)[:SUBJECT],
        body=body,
        created_at=at,
        next_attempt_at=at,
    )


def address_of(row: Notification) -> str:
    """Where a letter's row may go now: "" where its person is not there any more, or a newer letter makes it void."""
    letter = Letter.objects.filter(notification=row.pk).select_related("person").first()
    if letter is None:
        return row.address
    person = letter.person
    is_theirs = person is not None and person.is_active and person.email == letter.email and _is_for(letter, person)
    if person is None or not is_theirs or _is_replaced(letter, person):
        outbox.withhold(row)
        return ""
    return person.email


def text_of(row: Notification) -> Text:
    """The words of a row at the moment of sending; a letter's with a link made for this attempt."""
    letter = Letter.objects.filter(notification=row.pk).select_related("person", "client").first()
    if letter is None or letter.person is None:
        return Text(row.body, row.html)
    with translation.override(letter.person.language):
        facts = _facts(letter, letter.person) | {"subject": row.subject}
        return Text(_rendered(letter, ".txt", facts), _rendered(letter, ".html", facts))


def _rendered(letter: Letter, ending: str, facts: dict[str, object]) -> str:
    return render_to_string(f"accounts/mail/{TEMPLATES[Letter.Kind(letter.kind)]}{ending}", facts)


def _is_for(letter: Letter, person: User) -> bool:
    """Whether the person can use it: who has no password yet can only be invited."""
    return letter.kind == Letter.Kind.INVITATION or person.has_usable_password()


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


def unsent() -> QuerySet[Letter]:
    """What did not leave yet, or never, newest first."""
    failing = Letter.objects.filter(notification__status__in=[Delivery.QUEUED, Delivery.FAILED])
    return failing.exclude(notification__error="").select_related("person", "notification").order_by("-asked_at")
