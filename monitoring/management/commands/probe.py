"""One check of one address from this machine, explained. Needs no database."""

import asyncio
import json
import os
import time
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import override

from contracts.terms import moment
from monitoring.probe.canaries import Canaries
from monitoring.probe.check import check, tls_context
from monitoring.probe.specification import CheckSpec, Result
from monitoring.probe.verdict import judge, warns_of_certificate
from monitoring.sentences import certificate_sentence, sentence

EXIT_CODES = {"up": 0, "degraded": 0, "down": 1}
UNKNOWN = 2


class Command(BaseCommand):
    help = "Checks one address once and explains what it saw. Exit 0: works, 1: down, 2: unknown."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("url")
        parser.add_argument("--json", action="store_true", help="the whole result as JSON")
        parser.add_argument("--language", choices=["pl", "en"], default=settings.LANGUAGE_CODE)
        parser.add_argument("--text", action="append", default=[], help="a text that the page must contain")
        parser.add_argument("--timeout", type=int, default=10, help="seconds for the whole check")

    def handle(self, *args: Any, **options: Any) -> None:
        result = probe_once(spec_of(options), at=int(time.time()))
        self.stdout.write(as_json(result) if options["json"] else explain(result, options["language"]))
        if code := EXIT_CODES.get(result.state, UNKNOWN):
            raise SystemExit(code)


def spec_of(options: dict[str, Any]) -> CheckSpec:
    return CheckSpec(
        id="probe",
        url=options["url"],
        required=tuple(options["text"]),
        timeout_ms=options["timeout"] * 1000,
        networks=tuple(settings.PROBE_ALLOW_NETWORKS),
        ports=tuple(settings.PROBE_PORTS),
    )


def probe_once(spec: CheckSpec, *, at: int) -> Result:
    return replace(asyncio.run(_verdict(spec)), at=at)


async def _verdict(spec: CheckSpec) -> Result:
    observation = await check(spec, tls=tls_context(os.environ.get("PROBE_CA_FILE", "")))
    return await Canaries(settings.PROBE_CANARIES).vouch(judge(spec, observation))


def as_json(result: Result) -> str:
    words = {"sentence": {language: sentence(result, language) for language in ("pl", "en")}}
    return json.dumps(result.to_json() | words, ensure_ascii=False, indent=2)


def explain(result: Result, language: str) -> str:
    """The verdict, its sentence and what was measured, a line each."""
    with override(language):
        lines = [f"{result.state}: {sentence(result, language)}", *_measured(result)]
    return "\n".join(lines)


def _measured(result: Result) -> list[str]:
    times = result.timings
    lines = [
        _("Times in ms: DNS %(dns)d, connection %(connect)d, TLS %(tls)d, first byte %(first_byte)d, total %(total)d.")
        % times.to_json()
    ]
    if result.address:
        lines.append(_("Connected to %(address)s.") % {"address": result.address})
    if result.status:
        lines.append(_("Status %(status)d, %(bytes)d bytes read.") % {"status": result.status, "bytes": result.bytes})
    ends_at = result.certificate_ends_at
    if ends_at is not None and warns_of_certificate(ends_at, at=result.at) is not None:
        ends = moment(ends_at).strftime("%Y-%m-%d %H:%M UTC") if ends_at > result.at else ""
        lines.append(certificate_sentence(result.certificate_host, result.certificate_intermediate, ends))
    return lines
