"""`manage.py create_administrator`: the first person, who then invites the others."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email

from accounts.invitations import invitation_link
from accounts.models import ADMIN, Language, User
from accounts.people import invite_staff
from wording.instants import this_second
from wording.refusals import Refused


class Command(BaseCommand):
    help = (
        "Makes an administrator and prints the link by which the password is chosen: it works once, for three days. "
        "Repeated before the password is chosen, it prints a new link."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", required=True)
        parser.add_argument("--language", choices=Language.values, default=Language.POLISH)

    def handle(self, *args: Any, **options: Any) -> None:
        email = options["email"].lower()
        person = User.objects.filter(email=email, provider_role=ADMIN, is_active=True).first()
        if person is None or person.has_usable_password():
            person = self._invite(email, options["name"], options["language"])
        self.stdout.write(invitation_link(person))

    def _invite(self, email: str, name: str, language: str) -> User:
        try:
            validate_email(email)
            return invite_staff(
                email=email,
                name=name,
                role=ADMIN,
                language=language,
                by=None,
                at=this_second(),
            )
        except ValidationError as error:
            raise CommandError(f"{email}: {' '.join(error.messages)}")
        except Refused as refusal:
            raise CommandError(f"{email}: {refusal}")
