"""The closed lists of a contract's terms, as the arithmetic reads them; `contracts.models` adds the words. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """The strictest first."""

    P1 = "P1"
    P2 = "P2"
    P3 = "P3"
    P4 = "P4"


class TargetKind(StrEnum):
    """What is promised a time, in the order in which it comes."""

    REACTION = "reaction"
    RESTORE = "restore"
    FINAL_FIX = "final_fix"


@dataclass(frozen=True, slots=True)
class Mark:
    """When a rung tells: at `share` per cent of the time, or `offset` minutes of it from the deadline (− = before)."""

    share: int | None
    offset: int | None = None

    @property
    def order(self) -> tuple[int, int]:
        """From the first to the last as far as it can be told without the time: shares, then minutes."""
        return (0, self.share) if self.share is not None else (1, self.offset or 0)

    @property
    def is_over(self) -> bool:
        """Whether it is reached only when the time has run out."""
        return self.share >= 100 if self.share is not None else (self.offset or 0) >= 0


class DayReading(StrEnum):
    """How a term in days ends: the last working day's close, its 24:00, or calendar days by the Civil Code."""

    CLOSE = "business_days_close"
    END_OF_DAY = "business_days_end_of_day"
    CALENDAR_DAYS = "calendar_days_kc"


class RepairStart(StrEnum):
    """From when the time of the repair counts."""

    REPORT = "report"
    FIRST_CONTACT = "first_contact"
    CONTACT_OR_DEADLINE = "contact_or_reaction_deadline"
    WORK_STARTED = "work_started"


class Reopen(StrEnum):
    """What becomes of the time of a repair that the client rejects: what is left, or all of it again."""

    CONTINUE = "continue"
    RESTART = "restart"


class MaintenanceMode(StrEnum):
    """Announced maintenance leaves the denominator of availability, or stays in it as time that was up."""

    OUT_OF_TOTAL = "out_of_total"
    IN_TOTAL = "in_total"


class Cumulation(StrEnum):
    """What one incident owes for several missed targets."""

    CUMULATIVE = "cumulative"
    HIGHEST = "highest"


class RateType(StrEnum):
    """A penalty's rate, or a limit of penalties: in percent of the fee, or an amount."""

    PERCENT = "percent"
    AMOUNT = "amount"


class GraceMode(StrEnum):
    """`deductible`: the first seconds are free. `threshold`: nothing up to it, everything above it."""

    DEDUCTIBLE = "deductible"
    THRESHOLD = "threshold"


class PenaltyBase(StrEnum):
    """Whose fee a percentage is of: of the month in which the delay ended, or of the month before that."""

    MONTH = "month"
    MONTH_BEFORE = "month_before"
