"""Who: people, the companies they speak for, and what they may see there."""

from __future__ import annotations

from datetime import date
from typing import Any, Self
from uuid import uuid4

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from knox.models import AuthToken

from messaging.models import Notification
from wording.lines import NOT_A_LINE, NOT_IN_A_LINE
from wording.words import local_day

REPORTER, OWNER, AGENT, MANAGER, ADMIN = "reporter", "owner", "agent", "manager", "admin"
CLIENT_ROLES = frozenset({REPORTER, OWNER})
INCIDENT_STAFF = frozenset({AGENT, MANAGER})


class ProviderRole(models.TextChoices):
    NONE = "", _("not staff")
    AGENT = AGENT, _("support agent")
    MANAGER = MANAGER, _("manager")
    ADMIN = ADMIN, _("administrator")


class ClientRole(models.TextChoices):
    REPORTER = REPORTER, _("reporter")
    OWNER = OWNER, _("owner")


class Language(models.TextChoices):
    POLISH = "pl", "Polski"
    ENGLISH = "en", "English"


class Theme(models.TextChoices):
    SYSTEM = "", _("as the system")
    LIGHT = "light", _("light")
    DARK = "dark", _("dark")


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser):
    """A person. Staff of the provider have a `provider_role`; a client's people have memberships; nobody has both.

    `handle` stands in links and pages in place of the key, which would tell how many people there are.
    """

    email = models.EmailField(_("e-mail"), unique=True, error_messages={"unique": _("Somebody has this e-mail.")})
    name = models.CharField(_("name"), max_length=120)
    phone = models.CharField(_("phone"), max_length=32, blank=True)
    provider_role = models.CharField(max_length=8, choices=ProviderRole, blank=True, default=ProviderRole.NONE)
    on_call = models.BooleanField(_("on call"), default=False)
    language = models.CharField(_("language"), max_length=2, choices=Language, default=Language.POLISH)
    theme = models.CharField(_("theme"), max_length=5, choices=Theme, blank=True, default=Theme.SYSTEM)
    shortcuts = models.BooleanField(_("keyboard shortcuts"), default=True)
    notices = models.BooleanField(_("e-mail notices"), default=True)
    is_active = models.BooleanField(default=True)
    session_number = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    handle = models.UUIDField(default=uuid4, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]
    objects = UserManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("email"), name="one_account_per_email"),
            models.CheckConstraint(
                condition=~Q(name__regex=NOT_IN_A_LINE),
                name="person_name_is_one_line",
                violation_error_message=NOT_A_LINE,
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Every session holds it: all end when the password or `session_number` changes. 0: the value of before."""
        salt = "django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash"
        signed = f"{self.password}{self.session_number or ''}"
        return salted_hmac(salt, signed, secret=secret, algorithm="sha256").hexdigest()

    @property
    def first_name(self) -> str:
        return self.name.split(" ", 1)[0]

    @cached_property
    def memberships_now(self) -> dict[int, str]:
        """Client id → role, of the memberships that are valid today."""
        valid = Membership.objects.valid(local_day(timezone.now())).filter(user=self)
        return dict(valid.values_list("client_id", "role"))

    @cached_property
    def roles(self) -> frozenset[str]:
        """Every role that the person has anywhere; what counts for one client is `role_for`."""
        return frozenset({self.provider_role} - {""} | set(self.memberships_now.values()))

    @property
    def is_provider(self) -> bool:
        return bool(self.provider_role)

    @property
    def keeps_clients(self) -> bool:
        """Whether the person may open a client's page in the settings."""
        return self.provider_role in {MANAGER, ADMIN}

    @property
    def works_incidents(self) -> bool:
        return self.provider_role in INCIDENT_STAFF

    @property
    def sees_money(self) -> bool:
        """Whether złoty of every client may be shown; an owner sees those of own clients only (`role_for`)."""
        return self.provider_role == MANAGER

    def role_for(self, client_id: int) -> str:
        """`agent`, `manager`, `admin`, `reporter`, `owner`, or "" for a stranger to this client."""
        return self.provider_role or self.memberships_now.get(client_id, "")


class ClientQuerySet(models.QuerySet["Client"]):
    def visible_to(self, user: User) -> Self:
        return self if user.is_provider else self.filter(pk__in=user.memberships_now)


class Client(models.Model):
    """A company that the provider looks after. Incident numbers run per client, so none tells of the others.

    `code` stands in addresses and numbers; a trigger refuses another one.
    """

    code = models.CharField(
        _("code"), max_length=4, unique=True, validators=[RegexValidator(r"^[A-Z]{3,4}$", _("3 or 4 capital letters"))]
    )
    name = models.CharField(_("name"), max_length=120)
    tax_id = models.CharField(_("tax number"), max_length=20, blank=True)
    address = models.CharField(_("address"), max_length=200, blank=True)
    last_number = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ClientQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(name__regex=NOT_IN_A_LINE),
                name="client_name_is_one_line",
                violation_error_message=NOT_A_LINE,
            )
        ]

    def __str__(self) -> str:
        return self.name


class MembershipQuerySet(models.QuerySet["Membership"]):
    def valid(self, on: date) -> Self:
        return self.filter(Q(valid_until=None) | Q(valid_until__gte=on))

    def visible_to(self, user: User) -> Self:
        return self if user.is_provider else self.filter(client_id__in=user.memberships_now)


class Membership(models.Model):
    """A person speaks for a client, with or without money rights."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=8, choices=ClientRole)
    valid_until = models.DateField(null=True, blank=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "client"], name="one_membership_per_person_and_client")]

    def __str__(self) -> str:
        return f"{self.user}, {self.client}"


class Limit(models.Model):
    """A bucket of `accounts.limits`. The table isn't written to the database's log: a crash empties it, no more."""

    key = models.CharField(max_length=64, primary_key=True)
    full_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.key


class Letter(models.Model):
    """A letter that lets somebody in: asked for, then a row of the outbox. The newest of a kind is valid.

    `due_at`: when a task looks whose it is; None once it has. No link is stored (`accounts.letters`).
    """

    class Kind(models.TextChoices):
        PASSWORD = "password", _("new password")
        SIGN_IN = "sign_in", _("sign-in link")
        INVITATION = "invitation", _("invitation")

    kind = models.CharField(max_length=10, choices=Kind)
    email = models.EmailField()
    person = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="letters")
    client = models.ForeignKey(Client, null=True, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    notification = models.OneToOneField(Notification, null=True, on_delete=models.PROTECT, related_name="letter")

    class Meta:
        indexes = [
            models.Index(fields=["due_at"], name="letters_due", condition=Q(due_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.asked_at:%Y-%m-%d %H:%M}"


class LimitReached(models.Model):
    """Somebody was refused by a limit of `accounts.allowances`: one row a person, kind and token ("" on pages)."""

    class Kind(models.TextChoices):
        REPORTS = "reports", _("reports of failures")
        ACTS = "acts", _("what was sent")
        READS = "reads", _("lists, files and searches")

    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=7, choices=Kind)
    token = models.CharField(max_length=25, blank=True)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    times = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "kind", "token"], name="one_row_per_person_kind_and_token"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {self.kind}"


class TokenFacts(models.Model):
    """What a token of the API is for and when it was last used, to the minute."""

    token = models.OneToOneField(AuthToken, on_delete=models.CASCADE, related_name="facts", primary_key=True)
    name = models.CharField(max_length=80, blank=True, db_default="")
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name
