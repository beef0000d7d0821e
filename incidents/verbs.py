"""The verbs of an incident, each once: its addresses, page, buttons, place in the API and rows of permissions.

To add a verb: write it (`incidents/lifecycle.py`), a form and a request where its fields are new, and its row here;
`tests/sla_portal/permission_table.py` then wants its answers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from accounts.models import CLIENT_ROLES, INCIDENT_STAFF, User
from contracts.models import Severity
from incidents import backups, lifecycle, recovery, reporting, withdrawal
from incidents.api import requests
from incidents.choices import Status
from incidents.forms import client, staff
from incidents.forms.verb import VerbForm
from incidents.models import Incident
from incidents.state import IncidentState

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

Act = Callable[..., Incident]
Rule = Callable[[Incident, IncidentState], bool]
OwnWords = Callable[[Incident, User, datetime], str]


def is_open(incident: Incident, state: IncidentState) -> bool:
    return not incident.is_ended


def always(incident: Incident, state: IncidentState) -> bool:
    return True


def client_action(incident: Incident, state: IncidentState) -> str:
    """What the client must do now: "answer" a question, "check" a repair or a workaround; "" nothing, "over" never."""
    if incident.is_ended:
        return "over"
    if incident.asks_client:
        return "answer"
    return "check" if incident.wants_verdict else ""


def waits_for(incident: Incident, state: IncidentState) -> str:
    """What waits for the client: "answer", "check", or "withdraw" where we have agreed to that; "" for nothing."""
    if incident.is_ended:
        return ""
    return client_action(incident, state) or ("withdraw" if state.may_withdraw else "")


def _is_checked(incident: Incident, state: IncidentState) -> bool:
    return client_action(incident, state) == "check"


def _can_contest(incident: Incident, state: IncidentState) -> bool:
    return not incident.contested and not incident.is_ended and incident.severity != Severity.P1


def _can_withdraw_alone(incident: Incident, state: IncidentState) -> bool:
    return not incident.is_ended and not state.needs_both


def _can_agree(incident: Incident, state: IncidentState) -> bool:
    return not incident.is_ended and state.needs_both


def _waits_for_a_person(incident: Incident, state: IncidentState) -> bool:
    return not incident.is_ended and incident.first_contact_at is None


def _starts_work(incident: Incident, state: IncidentState) -> bool:
    """Whether the start of work is still to be said, where the contract counts the repair from it."""
    if incident.is_ended or not lifecycle.counts_from_work(incident):
        return False
    return state.work_started_at is None and not state.delivery


def _needs_repair(incident: Incident, state: IncidentState) -> bool:
    """Whether there is a failure that is still to be repaired."""
    return not incident.is_ended and incident.status != Status.RESOLVED and not incident.is_request


def _can_resume(incident: Incident, state: IncidentState) -> bool:
    return _needs_repair(incident, state) and any(pause.ended_at is None for pause in incident.pauses.all())


def _can_work_around(incident: Incident, state: IncidentState) -> bool:
    return _needs_repair(incident, state) and incident.status != Status.WORKAROUND


def _can_resolve(incident: Incident, state: IncidentState) -> bool:
    """Once more too, where the client wrote after the repair."""
    return not incident.is_ended and (incident.status != Status.RESOLVED or incident.client_wrote_at is not None)


def _can_be_stricter(incident: Incident, state: IncidentState) -> bool:
    """A question has no severity yet, so each is stricter."""
    if incident.is_ended or incident.status == Status.RESOLVED:
        return False
    return incident.is_request or incident.severity > Severity.P1


def _is_seen_working(incident: Incident, state: IncidentState) -> bool:
    return incident.is_seen_working


def _greeting(incident: Incident, by: User, at: datetime) -> str:
    return lifecycle.greeting(incident, by)


def _monitor_sentence(incident: Incident, by: User, at: datetime) -> str:
    return recovery.sentence_for_client(incident, at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """`name` stands in the addresses, `page` and `api` are their names; `roles`: who may.

    `act` is called with the incident, the person, the time and the facts of `form` or of `request`; `page_act` in its
    place where the page asks for more than the API. `label` stands on what opens the form, `title` above it, `submit`
    below it, `done` on the page afterwards; each that is empty says what the one before does. `own_words`: the sentence
    that it sends by itself, from which a person's own words start. `in_row`: its button stands in the row of the
    staff's page.
    """

    name: str
    roles: frozenset[str]
    act: Act
    request: type[requests.VerbRequest]
    api: str
    form: type[VerbForm] = VerbForm
    page: str = ""
    page_act: Act | None = None
    label: str | _StrPromise = ""
    title: str | _StrPromise = ""
    submit: str | _StrPromise = ""
    done: str | _StrPromise = ""
    own_words: OwnWords | None = None
    in_row: bool = False
    available: Rule = is_open

    @property
    def heading(self) -> str:
        return str(self.title or self.label)

    @property
    def button(self) -> str:
        return str(self.submit or self.label)

    @property
    def sentence(self) -> str:
        return str(self.done or self.button)

    @property
    def on_page(self) -> Act:
        return self.page_act or self.act


_CLIENT = (
    Verb(
        name="answer",
        page="incident-answer",
        api="api-answer",
        roles=CLIENT_ROLES,
        act=lifecycle.answer,
        form=client.AnswerForm,
        request=requests.TextRequest,
        label=_("Reply"),
        submit=_("Send"),
        done=_("Sent."),
    ),
    Verb(
        name="accept",
        page="incident-accept",
        api="api-accept",
        roles=CLIENT_ROLES,
        act=lifecycle.accept,
        form=client.AcceptForm,
        request=requests.OptionalTextRequest,
        label=_("It works"),
        done=_("Thank you, noted that it works."),
        available=_is_checked,
    ),
    Verb(
        name="reject",
        page="incident-reject",
        api="api-reject",
        roles=CLIENT_ROLES,
        act=lifecycle.reject,
        form=client.RejectForm,
        request=requests.TextRequest,
        label=_("Still broken"),
        submit=_("Send back for repair"),
        done=_("Sent."),
        available=_is_checked,
    ),
    Verb(
        name="contest",
        page="incident-contest",
        api="api-contest",
        roles=CLIENT_ROLES,
        act=lifecycle.contest,
        form=client.ContestForm,
        request=requests.TextRequest,
        label=_("More urgent"),
        submit=_("Send"),
        done=_("Noted. The stricter deadlines run until we agree."),
        available=_can_contest,
    ),
    Verb(
        name="manager",
        page="incident-manager",
        api="api-manager",
        roles=CLIENT_ROLES,
        act=lifecycle.ask_for_manager,
        form=client.ManagerForm,
        request=requests.OptionalTextRequest,
        label=_("Ask for a manager"),
        submit=_("Send"),
        done=_("The managers have been told."),
    ),
    Verb(
        name="cancel",
        page="incident-cancel",
        api="api-cancel",
        roles=CLIENT_ROLES,
        act=lifecycle.cancel,
        form=client.CancelForm,
        request=requests.TextRequest,
        label=_("Withdraw the report"),
        submit=_("Withdraw"),
        done=_("The report is withdrawn."),
        available=_can_withdraw_alone,
    ),
    Verb(
        name="details",
        page="incident-details",
        api="api-details",
        roles=CLIENT_ROLES,
        act=reporting.add_details,
        form=client.AddDetailsForm,
        request=requests.DetailsRequest,
        label=_("Add details"),
        submit=_("Add"),
        done=_("Thank you, the details are added."),
    ),
)
# In the order of the buttons of the staff's page
_STAFF = (
    Verb(
        name="react",
        page="incident-react",
        api="api-react",
        roles=INCIDENT_STAFF,
        act=lifecycle.acknowledge,
        form=staff.ReactForm,
        request=requests.OptionalTextRequest,
        label=_("React"),
        done=_("Your reaction is sent."),
        own_words=_greeting,
        available=_waits_for_a_person,
    ),
    Verb(
        name="start-work",
        page="incident-start-work",
        api="api-start-work",
        roles=INCIDENT_STAFF,
        act=lifecycle.start_work,
        form=staff.StartWorkForm,
        request=requests.OptionalTextRequest,
        label=_("Start work"),
        title=_("Start of work"),
        done=_("The start of work is noted."),
        available=_starts_work,
    ),
    Verb(
        name="say",
        page="incident-say",
        api="api-say",
        roles=INCIDENT_STAFF,
        act=lifecycle.say,
        form=staff.SayForm,
        request=requests.SayRequest,
        label=_("To the client"),
        submit=_("Send to the client"),
        done=_("Sent to the client."),
    ),
    Verb(
        name="call",
        page="incident-call",
        api="api-call",
        roles=INCIDENT_STAFF,
        act=lifecycle.call,
        form=staff.CallForm,
        request=requests.SayRequest,
        label=_("Phone call"),
        submit=_("Save the call"),
        done=_("The call is noted."),
    ),
    Verb(
        name="note",
        page="incident-note",
        api="api-note",
        roles=INCIDENT_STAFF,
        act=lifecycle.note,
        form=staff.NoteForm,
        request=requests.TextRequest,
        label=_("Internal note"),
        submit=_("Save the note"),
        done=_("The note is saved, the client does not see it."),
        available=always,
    ),
    Verb(
        name="resume",
        page="incident-resume",
        api="api-resume",
        roles=INCIDENT_STAFF,
        act=lifecycle.resume,
        form=staff.ResumeForm,
        request=requests.ResumeRequest,
        label=_("Let the clock run"),
        done=_("The pause has ended."),
        in_row=True,
        available=_can_resume,
    ),
    Verb(
        name="workaround",
        page="incident-workaround",
        api="api-workaround",
        roles=INCIDENT_STAFF,
        act=lifecycle.work_around,
        page_act=backups.after_backup(lifecycle.work_around),
        form=staff.DeliveryForm,
        request=requests.TextRequest,
        label=_("Workaround"),
        submit=_("Workaround given"),
        done=_("Sent to the client."),
        in_row=True,
        available=_can_work_around,
    ),
    Verb(
        name="resolve",
        page="incident-resolve",
        api="api-resolve",
        roles=INCIDENT_STAFF,
        act=lifecycle.resolve,
        page_act=backups.after_backup(lifecycle.resolve),
        form=staff.DeliveryForm,
        request=requests.ResolveRequest,
        label=_("Fixed"),
        done=_("Sent to the client."),
        in_row=True,
        available=_can_resolve,
    ),
    Verb(
        name="pause",
        page="incident-pause",
        api="api-pause",
        roles=INCIDENT_STAFF,
        act=lifecycle.pause,
        form=staff.PauseForm,
        request=requests.PauseRequest,
        label=_("Pause"),
        title=_("Pause the repair clock"),
        submit=_("Ask and pause"),
        done=_("Sent to the client."),
        in_row=True,
        available=_needs_repair,
    ),
    Verb(
        name="severity",
        page="incident-severity",
        api="api-severity",
        roles=INCIDENT_STAFF,
        act=lifecycle.change_severity,
        form=staff.SeverityForm,
        request=requests.SeverityRequest,
        label=_("Change the severity"),
        done=_("The severity is changed."),
        in_row=True,
        available=_can_be_stricter,
    ),
    Verb(
        name="assign",
        page="incident-assign",
        api="api-assign",
        roles=INCIDENT_STAFF,
        act=lifecycle.assign,
        form=staff.AssignForm,
        request=requests.AssignRequest,
        label=_("Hand over"),
        done=_("Handed over."),
        in_row=True,
    ),
    Verb(
        name="backup",
        page="incident-backup",
        api="api-backup",
        roles=INCIDENT_STAFF,
        act=lifecycle.back_up,
        page_act=backups.back_up_or_skip,
        form=staff.BackupForm,
        request=requests.BackupRequest,
        label=_("Backup"),
        title=_("Backup before the repair"),
        submit=_("Save the backup"),
        done=_("The backup is noted."),
        in_row=True,
        available=_needs_repair,
    ),
    Verb(  # the page's `backup` asks for the reason in the same form
        name="skip-backup",
        api="api-skip-backup",
        roles=INCIDENT_STAFF,
        act=lifecycle.skip_backup,
        request=requests.TextRequest,
    ),
    Verb(
        name="agree-withdrawal",
        page="incident-agree-withdrawal",
        api="api-agree-withdrawal",
        roles=INCIDENT_STAFF,
        act=withdrawal.agree,
        form=staff.AgreeForm,
        request=requests.TextRequest,
        label=_("Agree to the withdrawal"),
        title=_("The client may withdraw what our monitor saw"),
        done=_("Sent: the client may withdraw the report."),
        in_row=True,
        available=_can_agree,
    ),
    Verb(
        name="take-time",
        page="incident-take-time",
        api="api-take-time",
        roles=INCIDENT_STAFF,
        act=recovery.take_recovery,
        form=staff.TakeTimeForm,
        request=requests.OptionalTextRequest,
        label=_("Take the monitor's time"),
        title=_("It works, as the monitor sees it"),
        done=_("The monitor's time is taken as the end of the repair."),
        own_words=_monitor_sentence,
        available=_is_seen_working,
    ),
    Verb(
        name="not-working",
        page="incident-not-working",
        api="api-not-working",
        roles=INCIDENT_STAFF,
        act=recovery.deny_recovery,
        form=staff.NotWorkingForm,
        request=requests.OptionalTextRequest,
        label=_("It does not work"),
        done=_("Noted that it does not work yet."),
        available=_is_seen_working,
    ),
)
VERBS = {verb.name: verb for verb in (*_CLIENT, *_STAFF)}
CLIENT_PAGES = [verb for verb in _CLIENT if verb.page]
STAFF_PAGES = [verb for verb in _STAFF if verb.page]


def row(incident: Incident, state: IncidentState) -> list[Verb]:
    """The buttons in the row of the staff's page that make sense now."""
    return [verb for verb in _STAFF if verb.in_row and verb.available(incident, state)]


def offered(incident: Incident, state: IncidentState) -> dict[str, Verb]:
    """The verbs that make sense now and have a place of their own on that page, by a name that a template can write."""
    verbs = [verb for verb in STAFF_PAGES if not verb.in_row and verb.available(incident, state)]
    return {verb.name.replace("-", "_"): verb for verb in verbs}
