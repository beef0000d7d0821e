"""What the API takes: a report, and the fields of each verb."""

from __future__ import annotations

from typing import Any, cast

from rest_framework import serializers

from accounts.models import INCIDENT_STAFF, User
from contracts.models import Severity, Shop, ShopQuerySet
from contracts.severities import What
from incidents.choices import PauseReason
from incidents.reporting import Details
from wording.fields import LONGEST_PASSWORD, LONGEST_WORDS
from wording.serializer_fields import Line, Mail, Moment, Phone, Words

STAFF = User.objects.filter(provider_role__in=INCIDENT_STAFF, is_active=True)


class TokenRequest(serializers.Serializer[Any]):
    email = Mail()
    password = serializers.CharField(trim_whitespace=False, max_length=LONGEST_PASSWORD)
    name = Line(max_length=80, required=False, help_text="what it is for, on the person's page")


class VerbRequest(serializers.Serializer[Any]):
    """What a verb takes over the API."""

    @property
    def facts(self) -> dict[str, Any]:
        """For the verb, beside the incident, the person and the time."""
        return dict(self.validated_data)


class DetailsRequest(VerbRequest):
    """What may wait until the clock runs; what is left out stays as it is."""

    occurred_at = Moment(required=False, default=None)
    affected = Line(max_length=200, required=False, hides_cards=True)
    page = Line(max_length=500, required=False, hides_cards=True)
    order_number = Line(max_length=80, required=False, hides_cards=True)

    @property
    def details(self) -> Details:
        names = ("occurred_at", "affected", "page", "order_number")
        return Details(**{name: self.validated_data[name] for name in names})

    @property
    def facts(self) -> dict[str, Any]:
        return {"details": self.details}


class ColleagueField(serializers.SlugRelatedField[User]):
    """One of our people who work on incidents, by e-mail, in capitals or not."""

    def to_internal_value(self, data: Any) -> User:
        return super().to_internal_value(data.lower() if isinstance(data, str) else data)


class ShopField(serializers.SlugRelatedField[Shop]):
    """A visible shop by its slug, or by the one that it had before."""

    def to_internal_value(self, data: Any) -> Shop:
        shop = cast("ShopQuerySet", self.get_queryset()).at(data) if isinstance(data, str) else None
        return shop or super().to_internal_value(data)


class ReportRequest(DetailsRequest):
    """A failure as the form asks it.

    The same `form_key` with the same body returns the incident that it made; with another body it is refused (409).
    """

    shop = ShopField(slug_field="slug", queryset=Shop.objects.all())
    what = serializers.ChoiceField(choices=What.choices)
    sentence = Words(max_length=500)
    phone = Phone(required=False)
    form_key = serializers.UUIDField(required=False, default=None)


class TextRequest(VerbRequest):
    text = Words(max_length=LONGEST_WORDS)


class OptionalTextRequest(VerbRequest):
    text = Words(max_length=LONGEST_WORDS, required=False)


class SayRequest(TextRequest):
    next_update_at = Moment(required=False, default=None)


class ResolveRequest(TextRequest):
    """`restored_at`: when it worked again, if the monitor's checks confirm it."""

    restored_at = Moment(required=False, default=None)


class PauseRequest(TextRequest):
    reason = serializers.ChoiceField(choices=PauseReason.choices)


class ResumeRequest(VerbRequest):
    reason = serializers.ChoiceField(choices=PauseReason.choices)


class BackupRequest(VerbRequest):
    where = Line(max_length=200, hides_cards=True)
    size = Line(max_length=40, required=False)
    checksum = Line(max_length=128, required=False)


class SeverityRequest(TextRequest):
    to = serializers.ChoiceField(choices=Severity.choices)
    change = serializers.ChoiceField(choices=["worse", "correction"])


class AssignRequest(VerbRequest):
    to = ColleagueField(slug_field="email", queryset=STAFF, help_text="the e-mail of the colleague")
