"""Whatever happens to an incident: the account adds up to the figures, and a clock depends on nothing but its facts."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from incidents.clock import escalation
from incidents.clock.clocks import CHANGES, REASONS, Clock, Event, Terms, Timeline, clocks
from incidents.events import MOVING
from tests.incidents.clock_world import at, terms

START, DAY = at("09 08:00"), 86400
LADDER = [escalation.Step(name, share) for name in ("reaction", "restore", "final_fix") for share in (50, 75, 100, 150)]
# Some twice, to be drawn more often.
HAPPENING = (
    *("paused", "resumed", "rejected", "severity") * 2,
    *("monitor_recovered", "monitor_failed", "recovery_denied"),
    *("contact", "client_message", "internal_note", "workaround", "resolved", "accepted", "work_started", "cancelled"),
)
# What of the incident's time a line tells of, one after the other.
TIMED = {"wait", "worked", "pause", "handover", "seen", "late"}


@st.composite
def happenings(draw: st.DrawFn, moment: int) -> Event:
    kind = draw(st.sampled_from(HAPPENING))
    if kind in {"paused", "resumed"}:
        return Event(moment, kind, reason=draw(st.sampled_from(REASONS[:2])))
    if kind == "severity":
        return Event(moment, kind, severity=draw(severities), change=draw(st.sampled_from(CHANGES)))
    return Event(moment, kind)


severities = st.sampled_from(("P1", "P2", "P3", "P4"))
promises = st.builds(
    terms,
    st.sampled_from(("report", "first_contact", "contact_or_reaction_deadline", "work_started")),
    st.sampled_from(("continue", "restart")),
)


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[Event], int]:
    """An incident of up to ten events over two weeks, and a moment after them."""
    steps = draw(st.lists(st.integers(0, 40 * 3600).map(lambda s: s // 300 * 300), max_size=10))
    moments = [START + draw(st.integers(0, DAY))]
    for step in steps:
        moments.append(moments[-1] + step)
    found = [Event(moments[0], "received", severity=draw(severities))]
    found += [draw(happenings(moment)) for moment in moments[1:]]
    return found, moments[-1] + draw(st.integers(0, 20 * DAY))


@settings(max_examples=80, deadline=None)
@given(promises, stories(), st.integers(0, 7200), st.integers(0, 20 * DAY))
def test_seen_working_nothing_happens_until_somebody_says_or_it_fails(
    by: Terms, story: tuple[list[Event], int], confirmed_after: int, more: int
) -> None:
    """The last event is the first good check; from its confirmation on no clock's repair moves and no step fires."""
    happened, _ = story
    first_good = happened[-1].at
    known = first_good + confirmed_after
    seen = [*happened, Event(first_good, "monitor_recovered", told_at=known)]
    before, after = (clocks(by, seen, now)["restore"] for now in (known, known + more))
    if before.seen_at is not None and clocks(by, happened, known)["restore"].seen_at is None:
        assert (after.state, after.seen_at, after.left, after.late) == (
            before.state, before.seen_at, before.left, before.late
        )  # fmt: skip
        steps = [one for one in Timeline(by, seen, known + more, LADDER).fired if one.target == "restore"]
        assert all(one.at <= before.seen_at for one in steps)
        denied = clocks(by, [*seen, Event(known, "recovery_denied")], known + more)
        assert {name: (one.state, one.deadline, one.late) for name, one in denied.items()} == {
            name: (one.state, one.deadline, one.late) for name, one in clocks(by, happened, known + more).items()
        }
        taken = clocks(by, [*seen, Event(first_good, "resolved", told_at=known)], known)["restore"]
        # A clock that starts only after the first good check stands at its start, and a click ends it before it ran
        assert (taken.stopped_at, taken.late) == (first_good, before.late)
    assert clocks(by, seen, known - 1) == clocks(by, happened, known - 1) or confirmed_after == 0


def seconds(clock: Clock, kind: str) -> int:
    return sum(line.seconds for line in clock.trace if line.kind == kind)


def ended(clock: Clock, now: int) -> int:
    """Where it stopped or stands, else now."""
    held = clock.seen_at if clock.stopped_at is None else clock.stopped_at
    return now if held is None else held


def live(found: dict[str, Clock]) -> list[Clock]:
    everything = [clock for current in found.values() for clock in (current, *current.earlier)]
    return [clock for clock in everything if clock.state != "not_running"]


@settings(max_examples=200, deadline=None)
@given(promises, stories())
def test_the_account_adds_up_to_the_figures(by: Terms, story: tuple[list[Event], int]) -> None:
    for clock in live(clocks(by, *story)):
        assert clock.used + clock.left == clock.total + clock.late
        assert seconds(clock, "worked") == min(clock.used, clock.total)
        assert seconds(clock, "late") == clock.late
        last = clock.trace[-1]
        assert last.kind == clock.state
        assert last.seconds == (clock.late if clock.state == "breached" else clock.left)
        assert last.until == clock.deadline


@settings(max_examples=80, deadline=None)
@given(promises, stories())
def test_the_lines_of_an_account_follow_each_other_without_a_hole(by: Terms, story: tuple[list[Event], int]) -> None:
    for clock in live(clocks(by, *story)):
        timed = [line for line in clock.trace if line.kind in TIMED]
        assert all(before.until == after.at for before, after in pairwise(timed))
        if timed:
            assert timed[-1].until == ended(clock, story[1])


@settings(max_examples=80, deadline=None)
@given(promises, stories())
def test_a_state_agrees_with_its_deadline_and_stop(by: Terms, story: tuple[list[Event], int]) -> None:
    _, now = story
    for clock in live(clocks(by, *story)):
        end = ended(clock, now)
        assert (clock.deadline is None) == (clock.state in {"paused", "seen_working"})
        assert clock.state != "seen_working" or clock.seen_at is not None
        assert clock.seen_at is None or (clock.stopped_at is None and clock.target == "restore")
        assert (clock.state == "breached") == (clock.deadline is not None and end > clock.deadline)
        assert (clock.noticed_at is None) == (clock.state != "breached")
        assert clock.state != "met" or clock.stopped_at is not None
        assert clock.late >= 0 <= clock.left


@settings(max_examples=80, deadline=None)
@given(promises, stories(), st.integers(0, 20 * DAY))
def test_the_past_does_not_know_the_future(by: Terms, story: tuple[list[Event], int], back: int) -> None:
    happened, now = story
    then = now - back
    assert clocks(by, happened, then) == clocks(by, [event for event in happened if event.at <= then], then)


@settings(max_examples=80, deadline=None)
@given(promises, stories(), st.integers(0, 10 * DAY))
def test_with_time_alone_a_breach_stays_and_a_delay_grows(by: Terms, story: tuple[list[Event], int], more: int) -> None:
    happened, now = story
    for name, before in clocks(by, happened, now).items():
        after = clocks(by, happened, now + more)[name]
        assert before.state != "breached" or (after.state == "breached" and after.deadline == before.deadline)
        assert after.late >= before.late
        assert before.state != "met" or after == before


@settings(max_examples=80, deadline=None)
@given(promises, stories())
def test_silent_events_change_nothing(by: Terms, story: tuple[list[Event], int]) -> None:
    happened, now = story
    silent = [Event(event.at, kind) for event in happened for kind in ("auto_reply", "internal_note", "client_message")]
    assert clocks(by, [*happened, *silent], now) == clocks(by, happened, now)


@settings(max_examples=80, deadline=None)
@given(promises, stories())
def test_a_breached_clock_owes_nothing_to_a_later_pause(by: Terms, story: tuple[list[Event], int]) -> None:
    happened, now = story
    paused = clocks(by, [*happened, Event(now, "paused", reason="force_majeure")], now + DAY)
    for name, clock in clocks(by, happened, now + DAY).items():
        if clock.state == "breached" and clock.deadline is not None and clock.deadline <= now and name != "reaction":
            assert (paused[name].deadline, paused[name].late) == (clock.deadline, clock.late)


@settings(max_examples=80, deadline=None)
@given(promises, stories())
def test_each_step_fires_once_per_run_lap_and_round(by: Terms, story: tuple[list[Event], int]) -> None:
    happened, now = story
    fired = Timeline(by, happened, now, LADDER).fired
    assert len({one.key for one in fired}) == len(fired)
    assert [one.at for one in fired] == sorted(one.at for one in fired)
    assert all(happened[0].at <= one.at <= now for one in fired)


@settings(max_examples=80, deadline=None)
@given(promises, stories())
def test_the_announced_step_is_the_next_to_fire(by: Terms, story: tuple[list[Event], int]) -> None:
    happened, now = story
    fired = Timeline(by, happened, now, LADDER).fired
    following = Timeline(by, happened, now, LADDER).next_step
    if following is not None:
        assert following in Timeline(by, happened, following.at, LADDER).fired
        assert Timeline(by, happened, following.at - 1, LADDER).fired == fired


@settings(max_examples=80, deadline=None)
@given(promises, stories())
def test_a_running_clock_that_reached_its_whole_target_has_told_so(by: Terms, story: tuple[list[Event], int]) -> None:
    happened, now = story
    fired = {(one.target, one.run, one.lap, one.round) for one in Timeline(by, happened, now, LADDER).fired}
    for name, clock in clocks(by, happened, now).items():
        if clock.state == "breached" and clock.stopped_at is None:
            assert (name, clock.run, clock.lap, clock.round) in fired


@settings(max_examples=80, deadline=None)
@given(promises, stories())
def test_words_move_no_clock_so_whoever_counts_may_pass_over_them(by: Terms, story: tuple[list[Event], int]) -> None:
    happened, now = story
    counted = [event for event in happened if event.kind in MOVING]
    assert clocks(by, counted, now) == clocks(by, happened, now)
    assert Timeline(by, counted, now, LADDER).fired == Timeline(by, happened, now, LADDER).fired
