"""A breakdown of money in sentences of the active language, each made from its typed line and from nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from functools import singledispatch

from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy, ngettext_lazy

from contracts.penalty.credit import BandLine, MeasuredLine
from contracts.penalty.ledger import HighestLine, NotHighestLine, RecordedLine
from contracts.penalty.month import AddedLine, DroppedLine, DropReason, EarlierLine, WaivedLine
from contracts.penalty.rules import (
    PLACES,
    BaseLine,
    CapLevel,
    CapLine,
    ChargeLine,
    ExcludedLine,
    ExplainedAmount,
    GraceLine,
    LateLine,
    Line,
    ResultLine,
    Rounding,
    RoundLine,
    Scheme,
    Tier,
    Unit,
    UnitsLine,
    floored,
    rounded,
)
from contracts.vocabulary import GraceMode, RateType
from wording.words import NBSP, bare_span, figure, full_time, money, number, percent, share

REASONS: dict[str, Promise] = {
    "client_fault": gettext_lazy("the client's side"),
    "client_answer": gettext_lazy("the client's answer was awaited"),
    "third_party": gettext_lazy("a third party"),
    "force_majeure": gettext_lazy("force majeure"),
    "maintenance": gettext_lazy("announced maintenance"),
    "overstated": gettext_lazy("the client overstated the severity"),
}
TARGETS: dict[str, Promise] = {
    "reaction": gettext_lazy("reaction"),
    "restore": gettext_lazy("repair"),
    "repair": gettext_lazy("repair"),
    "final_fix": gettext_lazy("final fix"),
    "availability": gettext_lazy("availability"),
}
DROPPED: dict[DropReason, Promise] = {
    DropReason.WAIVED: gettext_lazy("waived by the client"),
    DropReason.NOT_THE_HIGHEST: gettext_lazy("only the highest of the incident's penalties counts"),
    DropReason.SAME_CAUSE: gettext_lazy("one cause at several shops is one penalty"),
    DropReason.SAME_EVENT: gettext_lazy("one event is paid for once"),
}
CAPS: dict[CapLevel, Promise] = {
    CapLevel.KIND: gettext_lazy("Limit of this kind of penalty in the month"),
    CapLevel.INCIDENT: gettext_lazy("Limit of the incident"),
    CapLevel.MONTH: gettext_lazy("Limit of the month"),
    CapLevel.QUARTER: gettext_lazy("Limit of the quarter"),
    CapLevel.CONTRACT: gettext_lazy("Limit of the contract"),
}


def width(unit: Unit) -> str:
    """The unit's width: `30 min`, `4 h`, `24 h`."""
    return f"{unit.width // 3600}{NBSP}h" if unit.width % 3600 == 0 else f"{unit.width // 60}{NBSP}min"


COUNTED: dict[tuple[Rounding, int], Promise] = {
    (Rounding.STARTED, 60): ngettext_lazy("%(units)s started minute", "%(units)s started minutes", "n"),
    (Rounding.STARTED, 3600): ngettext_lazy("%(units)s started hour", "%(units)s started hours", "n"),
    (Rounding.STARTED, 86400): ngettext_lazy("%(units)s started day", "%(units)s started days", "n"),
    (Rounding.STARTED, 0): ngettext_lazy(
        "%(units)s started period of %(width)s", "%(units)s started periods of %(width)s", "n"
    ),
    (Rounding.FULL, 60): ngettext_lazy("%(units)s full minute", "%(units)s full minutes", "n"),
    (Rounding.FULL, 3600): ngettext_lazy("%(units)s full hour", "%(units)s full hours", "n"),
    (Rounding.FULL, 86400): ngettext_lazy("%(units)s full day", "%(units)s full days", "n"),
    (Rounding.FULL, 0): ngettext_lazy("%(units)s full period of %(width)s", "%(units)s full periods of %(width)s", "n"),
}
EACH: dict[tuple[Rounding, int], Promise] = {
    (Rounding.STARTED, 60): gettext_lazy("for each started minute"),
    (Rounding.STARTED, 3600): gettext_lazy("for each started hour"),
    (Rounding.STARTED, 86400): gettext_lazy("for each started day"),
    (Rounding.STARTED, 0): gettext_lazy("for each started period of %(width)s"),
    (Rounding.FULL, 60): gettext_lazy("for each full minute"),
    (Rounding.FULL, 3600): gettext_lazy("for each full hour"),
    (Rounding.FULL, 86400): gettext_lazy("for each full day"),
    (Rounding.FULL, 0): gettext_lazy("for each full period of %(width)s"),
    (Rounding.EXACT, 60): gettext_lazy("for each minute, in proportion"),
    (Rounding.EXACT, 3600): gettext_lazy("for each hour, in proportion"),
    (Rounding.EXACT, 86400): gettext_lazy("for each day, in proportion"),
    (Rounding.EXACT, 0): gettext_lazy("for each %(width)s, in proportion"),
    (Rounding.ONCE, 0): gettext_lazy("once per breach, whatever the delay"),
}


def counted(units: Fraction, unit: Unit) -> str:
    """`4 started hours`, `3 full periods of 30 min`, `3.3333 h`; how many of the unit."""
    if unit.rounding is Rounding.ONCE:
        return figure(units)
    if unit.rounding is Rounding.EXACT:
        return _exact(units, unit)
    forms = COUNTED.get((unit.rounding, unit.width)) or COUNTED[unit.rounding, 0]
    return _joined(str(forms % {"n": int(units), "units": number(int(units)), "width": width(unit)}))


def each(unit: Unit) -> str:
    """`for each started hour`, `once per breach, whatever the delay`."""
    words = EACH.get((unit.rounding, unit.width)) or EACH[unit.rounding, 0]
    return _joined(str(words) % {"width": width(unit)})


def _joined(text: str) -> str:
    """A figure never parts from its word."""
    return re.sub(r"(?<=\d) ", NBSP, text)


def _exact(units: Fraction, unit: Unit) -> str:
    names = {60: "min", 3600: "h"}
    if unit.width in names:
        return f"{figure(units)}{NBSP}{names[unit.width]}"
    return f"{figure(units)}{NBSP}×{NBSP}{width(unit)}"


@dataclass(frozen=True)
class MoneyFormat:
    """What the sentences need besides the line: the currency, and how an instant is said (None: not at all)."""

    currency: str = "PLN"
    instant: Callable[[int], str] | None = None

    def money(self, amount: Decimal | Fraction) -> str:
        """A sum; where it isn't rounded yet, four places, so that the sums on the page can be added up."""
        value = amount if isinstance(amount, Decimal) else rounded(amount)
        text = money(value, self.currency)
        return text if value == amount else text.replace(number(value, 2), figure(amount))


def in_zone(zone: str) -> Callable[[int], str]:
    """Says an instant in full in the contract's zone."""
    return lambda instant: full_time(datetime.fromtimestamp(instant, UTC), zone)


def sentences(lines: Iterable[Line], currency: str = "PLN", zone: str | None = None) -> list[str]:
    """Every line of a breakdown as a sentence, in order; with a zone the instants are said too."""
    money_format = MoneyFormat(currency, in_zone(zone) if zone else None)
    return [sentence(line, money_format) for line in lines]


def exact_span(seconds: int) -> str:
    return bare_span(seconds, seconds_shown=True)


@singledispatch
def sentence(line: Line, money_format: MoneyFormat) -> str:
    """One line in words. TypeError for a line that nobody has given words."""
    raise TypeError(f"no words for {type(line).__name__}")


@sentence.register
def _late_line(line: LateLine, money_format: MoneyFormat) -> str:
    facts = {"span": exact_span(line.delay)}
    if money_format.instant is None or line.deadline is None or line.stop is None:
        return (gettext("%(span)s late in real time") if line.real_time else gettext("%(span)s late")) % facts
    facts |= {"deadline": money_format.instant(line.deadline), "stop": money_format.instant(line.stop)}
    if line.real_time:
        return gettext("Deadline %(deadline)s, stop %(stop)s: %(span)s late in real time") % facts
    return gettext("Deadline %(deadline)s, stop %(stop)s: %(span)s late") % facts


@sentence.register
def _excluded_line(line: ExcludedLine, money_format: MoneyFormat) -> str:
    reason = str(REASONS.get(line.reason, line.reason))
    if line.taken == 0:
        return gettext("Excluded, %(reason)s: no time that counted") % {"reason": reason}
    return gettext("Excluded, %(reason)s: minus %(span)s") % {"reason": reason, "span": exact_span(line.taken)}


@sentence.register
def _grace_line(line: GraceLine, money_format: MoneyFormat) -> str:
    facts = {"allowed": exact_span(line.allowed), "taken": exact_span(line.taken)}
    if line.mode is GraceMode.DEDUCTIBLE:
        return gettext("The first %(allowed)s are free: minus %(taken)s") % facts
    if line.taken == 0:
        return gettext("More than the %(allowed)s that are tolerated: the whole delay counts") % {
            "allowed": facts["allowed"]
        }
    return gettext("Within the %(allowed)s that are tolerated: nothing counts") % {"allowed": facts["allowed"]}


@sentence.register
def _units_line(line: UnitsLine, money_format: MoneyFormat) -> str:
    unit = Unit.named(line.unit)
    if unit.rounding is Rounding.ONCE:
        return gettext("Once per breach, whatever the delay") if line.units else gettext("Nothing to count")
    return gettext("%(span)s count as %(units)s") % {
        "span": exact_span(line.counted),
        "units": counted(line.units, unit),
    }


@sentence.register
def _base_line(line: BaseLine, money_format: MoneyFormat) -> str:
    version = ", ".join(part for part in (line.month, line.version) if part)
    head = gettext("Fee") + (f" ({version})" if version else "")
    parts = [money_format.money(line.fee)]
    if line.share != 1:
        parts.append(gettext("the shop's share of %(share)s") % {"share": share(line.share * 100)})
    if line.days is not None and line.of_days is not None:
        parts.append(gettext("%(days)s of %(of)s days") % {"days": line.days, "of": line.of_days})
    return f"{head}: {' × '.join(parts)}" + ("" if len(parts) == 1 else f" = {money_format.money(line.base)}")


@sentence.register
def _charge_line(line: ChargeLine, money_format: MoneyFormat) -> str:
    return f"{step_product(line, money_format)} = {money_format.money(line.amount)}"


def step_product(line: ChargeLine, money_format: MoneyFormat) -> str:
    """The product of a line, and above how many units it counts where it is a later step."""
    text = product(line, money_format)
    return (
        gettext("Above %(units)s: %(sum)s") % {"units": figure(line.from_unit), "sum": text} if line.from_unit else text
    )


def product(line: ChargeLine, money_format: MoneyFormat) -> str:
    """`4 started hours × 1 % of 5 000,00 zł`, `2 started days × 1 700,00 zł`."""
    unit = Unit.named(line.unit)
    rate = money_format.money(line.rate)
    if line.kind is RateType.PERCENT:
        rate = gettext("%(rate)s of %(base)s") % {"rate": share(line.rate), "base": money_format.money(line.base)}
    return rate if unit.rounding is Rounding.ONCE and line.units == 1 else f"{counted(line.units, unit)} × {rate}"


@sentence.register
def _round_line(line: RoundLine, money_format: MoneyFormat) -> str:
    return gettext("Rounded once, half up: %(amount)s") % {"amount": money_format.money(line.to)}


@sentence.register
def _cap_line(line: CapLine, money_format: MoneyFormat) -> str:
    head = f"{CAPS[line.level]} {money_format.money(line.limit)}" + (
        f" ({TARGETS.get(line.subject, line.subject)})" if line.subject else ""
    )
    if line.used:
        head += ", " + gettext("of which %(used)s was used before") % {"used": money_format.money(line.used)}
    if line.after == line.before:
        return f"{head}: " + gettext("no change")
    change = {"before": money_format.money(line.before), "after": money_format.money(line.after)}
    return f"{head}: " + gettext("%(before)s becomes %(after)s") % change


@sentence.register
def _added_line(line: AddedLine, money_format: MoneyFormat) -> str:
    return f"{_subject(line.subject, line.target)}: {money_format.money(line.amount)}"


@sentence.register
def _dropped_line(line: DroppedLine, money_format: MoneyFormat) -> str:
    facts = {
        "what": _subject(line.subject, line.target),
        "why": DROPPED[line.reason],
        "sum": money_format.money(line.amount),
    }
    return gettext("%(what)s: minus %(sum)s, %(why)s") % facts


@sentence.register
def _not_highest_line(line: NotHighestLine, money_format: MoneyFormat) -> str:
    facts = {"sum": money_format.money(line.amount), "best": TARGETS.get(line.best, line.best)}
    text = gettext("Of one incident only the highest penalty counts: %(best)s %(best_sum)s, so %(sum)s does not")
    return text % (facts | {"best_sum": money_format.money(line.best_amount)})


@sentence.register
def _highest_line(line: HighestLine, money_format: MoneyFormat) -> str:
    others = ", ".join(f"{TARGETS.get(target, target)} {money_format.money(amount)}" for target, amount in line.others)
    return gettext("The highest penalty of the incident; it alone counts, without: %(others)s") % {"others": others}


@sentence.register
def _earlier_line(line: EarlierLine, money_format: MoneyFormat) -> str:
    text = gettext("Of one incident only the highest penalty counts: %(used)s was charged before, minus %(taken)s")
    return text % {"used": money_format.money(line.used), "taken": money_format.money(line.taken)}


@sentence.register
def _recorded_line(line: RecordedLine, money_format: MoneyFormat) -> str:
    return gettext("The decision recorded %(sum)s, and that stands") % {"sum": money_format.money(line.recorded)}


USED_UP: dict[CapLevel, Promise] = {
    CapLevel.KIND: gettext_lazy("limit of this kind of penalty used up in the month"),
    CapLevel.INCIDENT: gettext_lazy("limit of the incident used up"),
    CapLevel.MONTH: gettext_lazy("limit of the month used up"),
    CapLevel.QUARTER: gettext_lazy("limit of the quarter used up"),
    CapLevel.CONTRACT: gettext_lazy("limit of the contract used up"),
}


def nothing_because(breakdown: ExplainedAmount) -> str:
    """Why a penalty is 0, in a few words: of what took the last of it; "" where it isn't 0."""
    if breakdown.amount:
        return ""
    for line in reversed(breakdown.lines):
        if words := _took_the_sum(line) or _took_the_time(line, breakdown):
            return words
    return gettext("the rate or the fee is 0")


def _took_the_sum(line: Line) -> str:
    match line:
        case CapLine(before=before, after=after) if before and not after:
            return str(USED_UP[line.level])
        case NotHighestLine():
            best = {"best": TARGETS.get(line.best, line.best)}
            return gettext("only the incident's highest penalty counts: %(best)s") % best
        case EarlierLine():
            return gettext("the incident was charged as much before")
        case RecordedLine():
            return gettext("as the decision recorded")
        case _:
            return ""


def _took_the_time(line: Line, breakdown: ExplainedAmount) -> str:
    match line:
        case UnitsLine(units=units, counted=counted_time) if not units and counted_time:
            return gettext("no full period of the delay")
        case GraceLine(taken=taken) if taken and not breakdown.seconds:
            return gettext("within the %(allowed)s that are tolerated") % {"allowed": exact_span(line.allowed)}
        case ExcludedLine(taken=taken) if taken and not breakdown.seconds:
            return gettext("the whole delay is excluded")
        case LateLine(delay=0) if not breakdown.units:
            return gettext("no time of the delay counts")
        case _:
            return ""


def _subject(name: str, target: str) -> str:
    return ", ".join(str(part) for part in (name, TARGETS.get(target, target)) if part)


@sentence.register
def _waived_line(line: WaivedLine, money_format: MoneyFormat) -> str:
    text = gettext("Waived by the client, after the limits: minus %(sum)s") % {"sum": money_format.money(line.taken)}
    if line.taken == line.given_up:
        return text
    return text + " " + gettext("(of %(asked)s, for there was no more)") % {"asked": money_format.money(line.given_up)}


@sentence.register
def _measured_line(line: MeasuredLine, money_format: MoneyFormat) -> str:
    facts = {"availability": floored_percent(line.availability), "commitment": share(line.commitment)}
    if line.met:
        return gettext("Availability %(availability)s, promised %(commitment)s: kept") % facts
    return gettext("Availability %(availability)s, promised %(commitment)s: below") % facts


def floored_percent(availability: Fraction) -> str:
    """`99,8611 %`: floored to four places."""
    return percent(floored(availability), PLACES)


@sentence.register
def _band_line(line: BandLine, money_format: MoneyFormat) -> str:
    facts = {"below": share(line.below), "percent": share(line.percent)}
    if line.down_to is None:
        return gettext("Below %(below)s: credit of %(percent)s of the fee") % facts
    facts["down_to"] = share(line.down_to)
    return gettext("Below %(below)s, at least %(down_to)s: credit of %(percent)s of the fee") % facts


@sentence.register
def _result_line(line: ResultLine, money_format: MoneyFormat) -> str:
    return gettext("Total: %(sum)s") % {"sum": money_format.money(line.total)}


def worked_example(breakdown: ExplainedAmount, severity: str = "", currency: str = "PLN") -> str:
    """The whole breakdown in one sentence: `3 h 20 min late on a P1: 4 started hours × 1 % of … = …`."""
    money_format = MoneyFormat(currency)
    late = exact_span(sum(line.delay for line in breakdown.lines if isinstance(line, LateLine)))
    charges = [line for line in breakdown.lines if isinstance(line, ChargeLine)]
    total = " + ".join(product(line, money_format) for line in charges) + f" = {money_format.money(breakdown.raw)}"
    facts = {"span": late, "severity": severity, "sum": total}
    text = gettext("%(span)s late on a %(severity)s: %(sum)s") if severity else gettext("%(span)s late: %(sum)s")
    caps = [line for line in breakdown.lines if isinstance(line, CapLine) and line.after != line.before]
    return ". ".join([text % facts, *(sentence(line, money_format) for line in caps)])


def rule(scheme: Scheme, currency: str = "PLN") -> str:
    """A penalty rule in plain words: `1 % of the fee for each started hour; the first 15 min are free`."""
    money_format = MoneyFormat(currency)
    rates = "; ".join(_tier(tier, scheme, money_format) for tier in scheme.steps)
    text = f"{rates} {each(scheme.unit)}"
    grace = scheme.grace
    if grace is None or grace.seconds == 0:
        return text
    allowed = {"allowed": exact_span(grace.seconds)}
    if grace.mode is GraceMode.DEDUCTIBLE:
        return f"{text}; " + gettext("the first %(allowed)s are free") % allowed
    return f"{text}; " + gettext("nothing up to %(allowed)s, above it the whole delay") % allowed


def _tier(tier: Tier, scheme: Scheme, money_format: MoneyFormat) -> str:
    if scheme.kind is RateType.PERCENT:
        rate = gettext("%(rate)s of the fee") % {"rate": share(tier.rate)}
    else:
        rate = money_format.money(tier.rate)
    if tier.up_to is None:
        return rate if len(scheme.steps) == 1 else gettext("%(rate)s above that") % {"rate": rate}
    return gettext("%(rate)s up to %(units)s") % {"rate": rate, "units": figure(tier.up_to)}
