"""The API of incidents: the same verbs, permissions and sentences as the pages.

A verb that refuses answers 409 with `detail` (a sentence in the caller's language) and `field`; wrong fields: 400.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.contrib.auth import authenticate
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_field
from knox.models import AuthToken
from rest_framework import serializers, status
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.exceptions import NotFound, PermissionDenied, ValidationError
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import tokens
from accounts.allowances import report_refused
from accounts.attempts import succeeded
from accounts.models import CLIENT_ROLES, INCIDENT_STAFF, User
from accounts.throttle import TooMany, token_of
from contracts.models import Severity, Shop
from incidents import report_limits, reporting
from incidents.api.pages import AFTER, LIMIT, OFFSET, Pages, journal_page
from incidents.api.requests import ReportRequest, TokenRequest
from incidents.choices import Origin, Status
from incidents.models import Incident, JournalEntry
from incidents.notices.undelivered import undelivered
from incidents.text import journal_lines
from incidents.text.clock_sentences import SentenceKind, incident_sentences
from incidents.text.lead import standing
from incidents.verbs import Verb
from wording.instants import this_second
from wording.serializer_fields import notice_of


class ClockAnswer(serializers.Serializer[Any]):
    """One clock; `left` in seconds of its calendar, negative when late, null when it has stopped."""

    target = serializers.CharField()
    state = serializers.CharField()
    deadline = serializers.DateTimeField(allow_null=True)
    stopped_at = serializers.DateTimeField(allow_null=True)
    seen_at = serializers.DateTimeField(
        allow_null=True, help_text="since when the monitor sees it work while nobody has delivered: the clock stands"
    )
    left = serializers.IntegerField(allow_null=True)
    sentence = serializers.CharField()


class LeadAnswer(serializers.Serializer[Any]):
    """How the incident stands, as the pages and letters say it."""

    kind = serializers.ChoiceField(
        choices=list(SentenceKind), help_text="a clock that counts or stands, or what became of the incident"
    )
    sentence = serializers.CharField(source="plain", help_text="in the caller's language")
    at = serializers.DateTimeField(
        source="lead.instant", allow_null=True, help_text="the instant in the sentence: a deadline, or when it happened"
    )
    target = serializers.CharField(help_text="the clock that it tells of, empty for none")
    left = serializers.IntegerField(
        allow_null=True, help_text="seconds of that clock, negative when late, null where none counts"
    )


class IncidentAnswer(serializers.Serializer[Any]):
    nr = serializers.CharField()
    shop = serializers.CharField(source="shop.slug")
    what = serializers.CharField()
    title = serializers.CharField(source="get_what_display")
    sentence = serializers.CharField()
    severity = serializers.CharField(help_text="P1 to P4, empty for a question")
    status = serializers.CharField()
    origin = serializers.CharField()
    received_at = serializers.DateTimeField()
    reported_at = serializers.DateTimeField()
    claimed_at = serializers.DateTimeField(
        allow_null=True, help_text="when the client says that it reported by phone; not approved, no clock runs by it"
    )
    occurred_at = serializers.DateTimeField(allow_null=True)
    client_wrote_at = serializers.DateTimeField(
        allow_null=True, help_text="when the client wrote under the repair that stands: no silence accepts it"
    )
    first_contact_at = serializers.DateTimeField(allow_null=True)
    next_update_at = serializers.DateTimeField(allow_null=True)
    assignee = serializers.CharField(source="assignee.name", default=None, allow_null=True)
    delivered_at = serializers.DateTimeField(
        allow_null=True, help_text="since when the repair or the workaround that stands was given"
    )
    rejected_at = serializers.DateTimeField(allow_null=True, help_text="when the client sent the last one back")
    ended_at = serializers.DateTimeField(allow_null=True, help_text="when it was closed, withdrawn or merged")
    waits_for_client = serializers.BooleanField(
        help_text="whether the client has to answer a question, or to say whether it works"
    )
    journal_head = serializers.CharField()
    lead = serializers.SerializerMethodField()
    clocks = serializers.SerializerMethodField()

    @extend_schema_field(LeadAnswer)
    def get_lead(self, incident: Incident) -> dict[str, Any]:
        stands = standing(incident, now=self.context["now"], for_client=self.context["for_client"])
        return dict(LeadAnswer(stands.lead).data)

    @extend_schema_field(ClockAnswer(many=True))
    def get_clocks(self, incident: Incident) -> list[dict[str, Any]]:
        rows = {row.target: row for row in incident.clocks.all()}
        sentences = incident_sentences(incident, now=self.context["now"], for_client=self.context["for_client"])
        answers = [
            {
                "target": clock.target,
                "state": rows[clock.target].state,
                "deadline": rows[clock.target].deadline,
                "stopped_at": rows[clock.target].stopped_at,
                "seen_at": rows[clock.target].seen_at,
                "left": clock.left,
                "sentence": clock.plain,
            }
            for clock in sentences
        ]
        return list(ClockAnswer(answers, many=True).data)


class TakenAnswer(IncidentAnswer):
    """The incident after words were taken; of card numbers in them only the last four digits were."""

    masked = serializers.ListField(
        child=serializers.CharField(), help_text="the fields in which a card number was masked, empty for none"
    )
    notice = serializers.CharField(help_text="the same as a sentence in the caller's language")


class EntryAnswer(serializers.Serializer[Any]):
    seq = serializers.IntegerField()
    kind = serializers.CharField()
    at = serializers.DateTimeField()
    recorded_at = serializers.DateTimeField()
    by = serializers.CharField(source="by.name", default=None, allow_null=True)
    public = serializers.BooleanField()
    text = serializers.CharField()
    words = serializers.SerializerMethodField()
    undelivered = serializers.SerializerMethodField()
    hash = serializers.CharField()

    def get_words(self, entry: JournalEntry) -> str:
        return journal_lines.brief(entry, self.context["names"], money=self.context["money"])

    def get_undelivered(self, entry: JournalEntry) -> bool:
        """Whether none of the letters about it to the client's people arrived."""
        return entry.pk in self.context["undelivered"]


class IncidentPage(serializers.Serializer[Any]):
    count = serializers.IntegerField(help_text="of all pages")
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = IncidentAnswer(many=True)


class JournalPage(serializers.Serializer[Any]):
    next = serializers.URLField(allow_null=True, help_text="null where these are the last entries")
    results = EntryAnswer(many=True)


class RefusalAnswer(serializers.Serializer[Any]):
    """A verb that did nothing says why, in the caller's language."""

    detail = serializers.CharField()
    field = serializers.CharField(help_text="the field that it is about, empty for none")


class LimitAnswer(serializers.Serializer[Any]):
    """Too much at once: `Retry-After` says in how many seconds it may be sent again."""

    detail = serializers.CharField()
    call = serializers.CharField(help_text="the phone on which we take reports round the clock")


TOO_MANY = OpenApiResponse(LimitAnswer, "refused by a limit, nothing was written")
WRONG_FIELDS = OpenApiResponse(OpenApiTypes.OBJECT, "each wrong field with its sentences")
REFUSED = OpenApiResponse(RefusalAnswer, "refused, nothing was written")


def person(request: Request) -> User:
    """Who calls; the permission class lets nobody anonymous this far."""
    return cast("User", request.user)


def _answer(
    request: Request, incident: Incident, code: int = status.HTTP_200_OK, notice: dict[str, Any] | None = None
) -> Response:
    fresh = Incident.objects.visible_to(person(request)).with_row().get(pk=incident.pk)
    return Response({**IncidentAnswer(fresh, context=_context(request)).data, **(notice or {})}, status=code)


def _context(request: Request) -> dict[str, Any]:
    now = this_second()
    return {"request": request, "now": now, "for_client": not person(request).is_provider}


def _works_with_incidents(user: User) -> None:
    """As on the pages: for others there are no incidents."""
    if not user.roles & (CLIENT_ROLES | INCIDENT_STAFF):
        raise NotFound


@extend_schema(request=TokenRequest, responses={201: OpenApiTypes.OBJECT}, summary="Get a token, shown this once")
@api_view(["POST"])
@authentication_classes([])
@permission_classes([AllowAny])
def token(request: Request) -> Response:
    """Wrong passwords are limited as on the sign-in page but apart from it: 429 with `Retry-After`."""
    sent = TokenRequest(data=request.data)
    sent.is_valid(raise_exception=True)
    data = sent.validated_data
    user = authenticate(request._request, username=data["email"].lower(), password=data["password"])
    if not isinstance(user, User):
        raise ValidationError({"detail": _("The e-mail or the password is wrong.")})
    succeeded(request._request)
    row, secret = tokens.make(user, name=data["name"])
    return Response({"token": secret, "expiry": row.expiry}, status=status.HTTP_201_CREATED)


@extend_schema(request=None, responses={204: None}, summary="Give up the token of this request")
@api_view(["DELETE"])
def token_end(request: Request) -> Response:
    if isinstance(request.auth, AuthToken):
        request.auth.delete()
    return Response(status=status.HTTP_204_NO_CONTENT)


LIST_PARAMETERS = [
    OpenApiParameter("q", str, description="number, sentence or shop"),
    OpenApiParameter("shop", str, description="the shop's slug"),
    OpenApiParameter("status", str, enum=Status.values),
    OpenApiParameter("severity", str, enum=Severity.values),
    LIMIT,
    OFFSET,
]


@extend_schema(
    methods=["GET"],
    parameters=LIST_PARAMETERS,
    responses={200: IncidentPage, 400: WRONG_FIELDS, 429: TOO_MANY},
    summary="List incidents",
)
@extend_schema(
    methods=["POST"],
    request=ReportRequest,
    summary="Report a failure",
    responses={201: TakenAnswer, 400: WRONG_FIELDS, 409: REFUSED, 429: TOO_MANY},
)
@api_view(["GET", "POST"])
def incidents(request: Request) -> Response:
    _works_with_incidents(person(request))
    return _report(request) if request.method == "POST" else _list(request)


def _list(request: Request) -> Response:
    queryset = Incident.objects.visible_to(person(request)).with_row().order_by("-received_at", "-pk")
    query = request.query_params
    if words := query.get("q", "").replace("\x00", ""):
        queryset = queryset.filter(
            Q(nr__icontains=words) | Q(sentence__icontains=words) | Q(shop__name__icontains=words)
        )
    if slug := query.get("shop", "").replace("\x00", ""):
        queryset = queryset.filter(shop=Shop.objects.visible_to(person(request)).at(slug))
    for name, values in (("status", Status.values), ("severity", Severity.values)):
        if value := query.get(name, "").replace("\x00", ""):
            if value not in values:
                raise ValidationError({name: [_("Write one of: %(values)s.") % {"values": ", ".join(values)}]})
            queryset = queryset.filter(**{name: value})
    pages = Pages()
    page = pages.paginate_queryset(queryset, request)
    return pages.get_paginated_response(IncidentAnswer(page or [], many=True, context=_context(request)).data)


def _report(request: Request) -> Response:
    """Staff take calls on the page, where the caller is named; the API files for the one who calls it."""
    if not person(request).roles & CLIENT_ROLES:
        raise PermissionDenied
    sent = ReportRequest(data=request.data)
    sent.fields["shop"].queryset = Shop.objects.visible_to(person(request)).select_related("client")  # type: ignore[attr-defined]
    sent.is_valid(raise_exception=True)
    data = sent.validated_data
    token = token_of(request)
    if wait := report_limits.wait_for(person(request), data["shop"], data["form_key"], token=token):
        raise TooMany(report_refused(wait), wait)
    incident = reporting.report(
        shop=data["shop"],
        what=data["what"],
        by=person(request),
        at=timezone.now(),
        sentence=data["sentence"],
        phone=data["phone"],
        form_key=data["form_key"],
        origin=Origin.API,
        details=sent.details,
    )
    return _answer(request, incident, status.HTTP_201_CREATED, notice_of(sent))


@extend_schema(responses=IncidentAnswer, summary="Read an incident")
@api_view(["GET"])
def incident(request: Request, nr: str) -> Response:
    return _answer(request, _visible(request, nr))


def _visible(request: Request, nr: str) -> Incident:
    _works_with_incidents(person(request))
    incident = Incident.objects.visible_to(person(request)).filter(nr=nr).first()
    if incident is None:
        raise NotFound
    return incident


@extend_schema(
    parameters=[AFTER, LIMIT],
    responses={200: JournalPage, 400: WRONG_FIELDS, 429: TOO_MANY},
    summary="The journal, oldest first",
)
@api_view(["GET"])
def journal(request: Request, nr: str) -> Response:
    """Clients read what is public; the chain's hashes of every entry they see."""
    incident = _visible(request, nr)
    entries = JournalEntry.objects.visible_to(person(request)).filter(incident=incident)
    lines, following = journal_page(request, entries)
    context = {
        "names": journal_lines.names_of(lines),
        "undelivered": undelivered(incident, lines),
        "money": person(request).sees_money,
    }
    return Response({"next": following, "results": EntryAnswer(lines, many=True, context=context).data})


def acting(verb: Verb) -> Callable[..., Any]:
    """The view of one verb, so that each has its own description."""

    @extend_schema(
        request=verb.request,
        operation_id=f"incident_{verb.name.replace('-', '_')}",
        responses={200: TakenAnswer, 400: WRONG_FIELDS, 409: REFUSED, 429: TOO_MANY},
    )
    @api_view(["POST"])
    def act(request: Request, nr: str) -> Response:
        incident = _visible(request, nr)
        if person(request).role_for(incident.client_id) not in verb.roles:
            raise PermissionDenied
        sent = verb.request(data=request.data)
        sent.is_valid(raise_exception=True)
        changed = verb.act(incident=incident, by=person(request), at=timezone.now(), **sent.facts)
        return _answer(request, changed, notice=notice_of(sent))

    act.__doc__ = (verb.act.__doc__ or "").strip()
    return act
