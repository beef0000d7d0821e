"""What happened: incidents, their journal, the projection of their clocks, breaches and the outbox."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import MANAGER, OWNER, Client, User
from contracts.models import ContractVersion, EscalationStep, Severity, Shop, TargetKind
from contracts.severities import What
from contracts.timed import DayReading
from incidents.anchors import Anchor, AnchorLeaf, AnchorTree, Tally  # noqa: F401 Django finds an app's models here
from incidents.choices import LIVES, Actor, ClockState, Origin, PauseReason, Status
from incidents.events import Kind
from incidents.keys import RepeatKey  # noqa: F401 the same
from incidents.notices.reach import Audience, Bar
from incidents.state import ENDED
from messaging.models import Notification


def _waits_for_client() -> Q:
    questions = Pause.objects.filter(incident=models.OuterRef("pk"), reason=PauseReason.CLIENT_ANSWER, ended_at=None)
    unheard = Q(status=Status.WORKAROUND, accepted_at=None, rejected_at=None)
    return Q(Q(status=Status.RESOLVED) | unheard | models.Exists(questions))


class IncidentQuerySet(models.QuerySet["Incident"]):
    def visible_to(self, user: User) -> Self:
        if user.works_incidents:
            return self
        return self.filter(client_id__in=user.memberships_now)

    def active(self) -> Self:
        return self.exclude(status__in=ENDED)

    def waiting_for_client(self) -> Self:
        return self.active().filter(_waits_for_client())

    def with_waiting(self) -> Self:
        """`may_wait`: whether something of it may wait for the client (`verbs.waits_for`), a withdrawal too."""
        offered = JournalEntry.objects.filter(incident=models.OuterRef("pk"), kind=Kind.WITHDRAWAL_AGREED)
        return self.annotate(may_wait=Q(_waits_for_client() | models.Exists(offered)))

    def with_row(self) -> Self:
        """Everything that one row of a list shows, in a constant number of queries."""
        related = self.select_related("client", "shop", "assignee", "version__contract")
        return related.prefetch_related("clocks__calendar__days", "pauses")


class Incident(models.Model):
    """A failure that runs under an SLA, or (`severity` empty) a question that runs under none.

    `status`, `severity` and every `*_at` column follow from the journal (`incidents.state`); `incidents.projection`
    and `incidents.updates` alone write them. `next_update_at` is the promise to the client, and stays it when it is
    missed; `update_missed_at` is the last rhythm that passed in silence.
    """

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="incidents")
    shop = models.ForeignKey(Shop, on_delete=models.PROTECT, related_name="incidents")
    version = models.ForeignKey(ContractVersion, on_delete=models.PROTECT, null=True, related_name="incidents")
    number = models.PositiveIntegerField()
    nr = models.CharField(max_length=16, unique=True)
    what = models.CharField(max_length=16, choices=What)
    sentence = models.CharField(max_length=500, blank=True)
    severity = models.CharField(max_length=2, choices=Severity, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.NEW)
    origin = models.CharField(max_length=8, choices=Origin, default=Origin.PORTAL)
    reporter = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    phone = models.CharField(max_length=32, blank=True)
    occurred_at = models.DateTimeField(null=True)
    reported_at = models.DateTimeField()
    received_at = models.DateTimeField()
    affected = models.CharField(max_length=200, blank=True)
    page = models.CharField(max_length=500, blank=True)
    order_number = models.CharField(max_length=80, blank=True)
    possible_leak = models.BooleanField(default=False)
    failure = models.CharField(max_length=80, blank=True)
    assignee = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    first_contact_at = models.DateTimeField(null=True)
    backup_at = models.DateTimeField(null=True)
    contested = models.BooleanField(default=False)
    delivered_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)
    rejected_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    restored_at = models.DateTimeField(null=True)
    next_update_at = models.DateTimeField(null=True)
    update_missed_at = models.DateTimeField(null=True)
    silence_at = models.DateTimeField(null=True)
    client_wrote_at = models.DateTimeField(null=True)
    ask_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    wake_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField()
    journal_length = models.PositiveIntegerField(default=0)
    journal_head = models.CharField(max_length=64, blank=True)
    last_entry = models.ForeignKey("JournalEntry", on_delete=models.PROTECT, null=True, related_name="+")
    held_terms: Any = None  # the version's terms while an act holds their calendars (`projection.held`); no column
    held_history: Any = None  # what the act has read of its journal (`projection.record.history`); no column

    objects = IncidentQuerySet.as_manager()

    class Meta:
        ordering = ["-received_at", "-pk"]
        indexes = [
            models.Index(fields=["wake_at"], name="incident_wakes", condition=Q(wake_at__isnull=False)),
            models.Index(fields=["due_at", "id"], name="incident_due", condition=LIVES),
            models.Index(fields=["shop", "-received_at"], name="incident_by_shop"),
            models.Index(fields=["shop", "-received_at"], name="incident_open_by_shop", condition=LIVES),
            models.Index(fields=["client", "-received_at"], name="incident_by_client"),
            models.Index(fields=["-received_at", "-id"], name="incident_by_time"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["client", "number"], name="one_incident_per_client_and_number"),
            models.UniqueConstraint(
                fields=["shop", "failure"],
                condition=~Q(failure="") & LIVES,
                name="one_open_incident_per_shop_failure",
                violation_error_message=_("This failure of the shop has an open incident."),
            ),
        ]

    def __str__(self) -> str:
        return self.nr

    def get_what_display(self) -> str:  # type: ignore[no-redef]
        """The sentence of the report form. Django's own hashes the translated list anew: 15 % of a row of the queue."""
        return str(What(self.what).label)

    def get_status_display(self) -> str:  # type: ignore[no-redef]
        return str(Status(self.status).label)

    @property
    def is_ended(self) -> bool:
        return self.status in ENDED

    @property
    def is_request(self) -> bool:
        """A question or a change: care, no SLA clock."""
        return not self.severity

    @property
    def needs_backup(self) -> bool:
        return self.severity in {"P1", "P2"} and self.backup_at is None

    @property
    def failing_since(self) -> datetime:
        """For what a monitor saw: the first failed check; for what somebody reported: when we received it."""
        return (self.origin == Origin.MONITOR and self.occurred_at) or self.received_at

    @property
    def is_seen_working(self) -> bool:
        """Healed by the monitor's checks while nobody has delivered: the repair stands, staff are asked at `ask_at`."""
        return self.ask_at is not None

    @property
    def waits_for_client(self) -> bool:
        """Whether the client has to act: to answer a question, or to say whether what was delivered works."""
        return self.asks_client or self.wants_verdict

    @property
    def asks_client(self) -> bool:
        return any(pause.reason == PauseReason.CLIENT_ANSWER and pause.ended_at is None for pause in self.pauses.all())

    @property
    def wants_verdict(self) -> bool:
        """A repair, or a workaround, on which the client has not said a word."""
        if self.status == Status.RESOLVED:
            return True
        return self.status == Status.WORKAROUND and self.accepted_at is None and self.rejected_at is None

    @property
    def claimed_at(self) -> datetime | None:
        """When the client says that it reported by phone, where that is not when the server received it; unapproved."""
        differs = self.origin == Origin.PHONE and self.reported_at != self.received_at
        return self.reported_at if differs else None

    @property
    def zone(self) -> str:
        return self.version.contract.zone if self.version else settings.DISPLAY_TIME_ZONE


class JoinedReport(models.Model):
    """A second report of the same failure: its author gets a receipt and hears of the incident."""

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="joined")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["at"]

    def __str__(self) -> str:
        return f"{self.incident_id} {self.by}"


class JournalQuerySet(models.QuerySet["JournalEntry"]):
    def visible_to(self, user: User) -> Self:
        if user.works_incidents:
            return self
        return self.filter(public=True, incident__client_id__in=user.memberships_now)


class JournalEntry(models.Model):
    """One line of the append-only, hash-chained journal (a trigger refuses a change of the hashed columns).

    `facts` are ids, codes and times and are hashed. What people typed (`text`, `personal`) stands outside the hash,
    with a salted commitment inside: an anonymised person's words and salt can go and the chain still holds.
    `old_facts`, of entries before the seal, is what their hash covers, names included; it may go too.
    """

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="journal")
    seq = models.PositiveIntegerField()
    kind = models.CharField(max_length=24)
    at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    actor = models.CharField(max_length=8, choices=Actor)
    channel = models.CharField(max_length=8, default="portal")
    public = models.BooleanField(default=True)
    severity = models.CharField(max_length=2, blank=True)
    change = models.CharField(max_length=10, blank=True)
    reason = models.CharField(max_length=24, blank=True)
    facts = models.JSONField(default=dict)
    personal = models.JSONField(default=dict)
    old_facts = models.JSONField(null=True)
    text = models.TextField(blank=True)
    salt = models.CharField(max_length=32, blank=True)
    commitment = models.CharField(max_length=64)
    previous = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)

    objects = JournalQuerySet.as_manager()

    class Meta:
        ordering = ["incident", "seq"]
        indexes = [models.Index(fields=["incident", "kind", "seq"], name="journal_by_kind")]
        constraints = [
            models.UniqueConstraint(fields=["incident", "seq"], name="one_entry_per_incident_and_seq"),
            models.CheckConstraint(
                condition=~Q(salt="") | Q(text="", personal={}), name="an_entry_without_salt_has_no_words"
            ),
            models.CheckConstraint(condition=Q(kind__in=[kind.value for kind in Kind]), name="journal_knows_its_kinds"),
        ]

    def __str__(self) -> str:
        return f"{self.incident_id}/{self.seq} {self.kind}"

    @property
    def is_call(self) -> bool:
        """Whether it holds what one of ours said to the client on the phone."""
        return self.kind == Kind.CONTACT and self.channel == Origin.PHONE

    @property
    def every_fact(self) -> dict[str, Any]:
        """Hashed facts and those that may be forgotten together, for sentences."""
        return {**(self.old_facts or {}), **self.facts, **self.personal}


class ClockRow(models.Model):
    """The projection of one clock at `computed_at`, by `incidents.projection.rows` from the journal; never a source."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="clocks")
    target = models.CharField(max_length=9, choices=TargetKind)
    state = models.CharField(max_length=12, choices=ClockState)
    severity = models.CharField(max_length=2, blank=True)
    calendar = models.ForeignKey("contracts.Calendar", on_delete=models.PROTECT, null=True, related_name="+")
    calendar_at = models.DateTimeField(null=True)
    reading = models.CharField(max_length=24, choices=DayReading, blank=True, default="")
    started_at = models.DateTimeField(null=True)
    deadline = models.DateTimeField(null=True)
    stopped_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    lap = models.PositiveSmallIntegerField(default=1)
    round = models.PositiveSmallIntegerField(default=1)
    run = models.PositiveSmallIntegerField(default=1)
    total = models.PositiveIntegerField(default=0)
    left = models.IntegerField(null=True)
    late = models.PositiveIntegerField(null=True)
    computed_at = models.DateTimeField()

    class Meta:
        ordering = ["incident", "target"]
        constraints = [models.UniqueConstraint(fields=["incident", "target"], name="one_clock_per_target")]
        indexes = [models.Index(fields=["deadline"], name="clocks_by_deadline")]

    def __str__(self) -> str:
        return f"{self.incident_id} {self.target} {self.state}"

    @property
    def is_open(self) -> bool:
        """Whether time still runs or may run again: not stopped and not absent."""
        return self.stopped_at is None and self.state != ClockState.NOT_RUNNING


class Pause(models.Model):
    """A stop of the clocks, mirrored from the journal so that the database refuses a second open one of a reason."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="pauses")
    reason = models.CharField(max_length=20, choices=PauseReason)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["started_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "reason"],
                condition=Q(ended_at=None),
                name="one_open_pause_per_reason",
                violation_error_message=_("The clock stands for this reason already."),
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("started_at")), name="pause_ends_after_it_starts"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.incident_id} {self.reason}"


class Firing(models.Model):
    """A ladder step that went out: exactly once per clock, lap, round and step.

    `entry` is the journal's line that says who was told; empty until that is known.
    """

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="firings")
    step = models.ForeignKey(EscalationStep, on_delete=models.PROTECT, related_name="+")
    target = models.CharField(max_length=9, choices=TargetKind)
    lap = models.PositiveSmallIntegerField()
    round = models.PositiveSmallIntegerField()
    run = models.PositiveSmallIntegerField()
    due_at = models.DateTimeField()
    fired_at = models.DateTimeField()
    entry = models.ForeignKey(JournalEntry, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["due_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "target", "run", "lap", "round", "step"],
                name="one_firing_per_clock_lap_round_and_step",
            )
        ]

    def __str__(self) -> str:
        return f"{self.incident_id} {self.step}"


class BreachQuerySet(models.QuerySet["Breach"]):
    def visible_to(self, user: User) -> Self:
        """Breaches lead to money: managers, and owners of the client. Clock states are seen on the incident."""
        if user.provider_role == MANAGER:
            return self
        own = [client for client, role in user.memberships_now.items() if role == OWNER]
        return self.filter(incident__client_id__in=own)


class BreachManager(models.Manager["Breach"]):
    """Those that stand; a voided one is in the table and in its incident's journal only."""

    def get_queryset(self) -> BreachQuerySet:
        return BreachQuerySet(self.model, using=self._db).filter(voided_at=None)

    def visible_to(self, user: User) -> BreachQuerySet:
        return self.get_queryset().visible_to(user)


class Breach(models.Model):
    """A missed deadline, once per clock and lap, timed at the deadline. Completed by its end, marked if it was none."""

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="breaches")
    version = models.ForeignKey(ContractVersion, on_delete=models.PROTECT, related_name="+")
    target = models.CharField(max_length=9, choices=TargetKind)
    severity = models.CharField(max_length=2, choices=Severity)
    lap = models.PositiveSmallIntegerField(default=1)
    run = models.PositiveSmallIntegerField(default=1)
    deadline = models.DateTimeField()
    noticed_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True)
    delay = models.PositiveIntegerField(null=True)
    voided_at = models.DateTimeField(null=True)

    objects = BreachManager()

    class Meta:
        ordering = ["-deadline", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "target", "run", "lap"],
                condition=Q(voided_at=None),
                name="one_breach_per_clock_and_lap",
            ),
            models.CheckConstraint(
                condition=Q(noticed_at__gte=F("deadline")), name="breach_is_noticed_after_its_deadline"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.incident_id} {self.target}"

    @property
    def noticed_late(self) -> bool:
        return self.noticed_at - self.deadline > timedelta(seconds=60)


class Notice(models.Model):
    """What a letter, text or call of the outbox tells of; the outbox itself knows nothing of incidents.

    `entry` or `firing` is what it tells of. Rows of one `topic` tell one side (ours, the client's) of one thing: where
    none arrives, the next person is written to. `settle_at`: when that is looked at; `bar`: why a row is withheld.

    The database fills in what proves the row: `head` of the journal when it was written, `hash` over whom, channel,
    when, that head and the hash of the words (`Notification.content`). The words may go, the row stays and counts.
    """

    notification = models.OneToOneField(Notification, on_delete=models.PROTECT, primary_key=True, related_name="notice")
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, null=True, related_name="notices")
    entry = models.ForeignKey(JournalEntry, on_delete=models.PROTECT, null=True, related_name="notices")
    firing = models.ForeignKey(Firing, on_delete=models.PROTECT, null=True, related_name="notices")
    topic = models.CharField(max_length=100, blank=True)
    audience = models.CharField(max_length=6, choices=Audience, default=Audience.STAFF)
    bar = models.CharField(max_length=10, choices=Bar, blank=True)
    settle_at = models.DateTimeField(null=True)
    head = models.CharField(max_length=64, blank=True, editable=False)
    hash = models.CharField(max_length=64, blank=True, editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["settle_at"], name="notices_unsettled", condition=Q(settle_at__isnull=False)),
            models.Index(fields=["topic"], name="notices_topic", condition=~Q(topic="")),
        ]

    def __str__(self) -> str:
        return f"{self.notification_id} {self.topic}"


class UnheardAlarmQuerySet(models.QuerySet["UnheardAlarm"]):
    def visible_to(self, user: User) -> Self:
        """Every member of staff; administrators too, for they can mend it. It holds no words of the client."""
        return self if user.is_provider else self.none()

    def open(self) -> Self:
        """Not mended, of incidents that still live."""
        return self.filter(mended_at=None).exclude(incident__status__in=ENDED)


class UnheardAlarm(models.Model):
    """Something needs an act and nobody of one side could be told. Mended when somebody was, acted, or it ended."""

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="unheard")
    topic = models.CharField(max_length=100, unique=True)
    entry = models.ForeignKey(JournalEntry, on_delete=models.PROTECT, null=True, related_name="+")
    firing = models.ForeignKey(Firing, on_delete=models.PROTECT, null=True, related_name="+")
    audience = models.CharField(max_length=6, choices=Audience)
    opened_at = models.DateTimeField()
    look_at = models.DateTimeField()
    mended_at = models.DateTimeField(null=True)

    objects = UnheardAlarmQuerySet.as_manager()

    class Meta:
        ordering = ["opened_at", "pk"]
        indexes = [models.Index(fields=["look_at"], name="unheard_alarms", condition=Q(mended_at=None))]

    def __str__(self) -> str:
        return f"{self.incident_id} {self.topic}"
