"""Which of the configured properties can be asked, and for which days. No report is read here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

from pipelines.config.settings import Settings
from pipelines.errors import ConfigError, SluiceError
from pipelines.file_modes import group_id
from pipelines.ga4.api_errors import Ga4Error
from pipelines.ga4.client import Ga4Client, Profile, connect
from pipelines.ga4.rate_limit import Governor
from pipelines.ingest.day_window import DayWindow, yesterday

# The exit code of what may be over in an hour.
TRY_LATER = 75


def check_properties(settings: Settings) -> None:
    """Before anybody is asked: is there something to ask for?

    Raises ConfigError when no property is configured, or what will be published could not be
    given to its group.
    """
    group_id(settings.publish.group)
    if not settings.properties:
        raise ConfigError(
            "No GA4 property is configured: put its id under properties in sluice.yml "
            "(sluice.example.yml shows how), or try 'sluice demo'."
        )


def client_for(settings: Settings, governor: Governor | None = None) -> Ga4Client | None:
    """A client where some property is read from the Data API; None where nobody is to be asked.

    Raises CredentialsError.
    """
    return connect(settings.ga4, governor) if settings.asks_ga4 else None


def profile_properties(
    settings: Settings, client: Ga4Client | None
) -> tuple[list[Profile], dict[str, SluiceError]]:
    """Ask the server about every configured property: who answered, and why others did not.

    Of a property that GA4 is not asked about the settings tell all. Raises ConfigError as
    `check_properties` does, and when nobody answered the failure that promises most
    (`worth_waiting`).
    """
    check_properties(settings)
    profiles: list[Profile] = []
    failures: dict[str, SluiceError] = {}
    for item in settings.properties:
        if client is None or not item.is_asked:
            profiles.append(
                Profile(item.id, item.time_zone, item.currency, frozenset(), is_asked=False)
            )
            continue
        try:
            day = yesterday(ZoneInfo(item.time_zone or "UTC"), settings.clock.now())
            profiles.append(client.profile(item.id, day))
        except Ga4Error as error:
            failures[item.id] = error
    if not profiles:
        raise worth_waiting(failures.values())
    return profiles, failures


def worth_waiting(failures: Iterable[SluiceError]) -> SluiceError:
    """What a run without any property ends with.

    Properties that only ran out of quota, or could not be reached (75), are worth another try in
    an hour, whatever holds back the others; then what contradicts itself (2), then all else (1).
    """
    return max(failures, key=lambda failure: (failure.exit_code == TRY_LATER, failure.exit_code))


def with_closed_days(
    settings: Settings, profiles: Sequence[Profile], window: DayWindow
) -> tuple[list[Profile], dict[str, SluiceError]]:
    """Properties whose zone has seen the end of the window, and why the others have not.

    Raises ConfigError when none has.
    """
    configured = {item.id: item.time_zone for item in settings.properties}
    closed: list[Profile] = []
    failures: dict[str, SluiceError] = {}
    for profile in profiles:
        zone = ZoneInfo(configured[profile.property_id] or profile.time_zone or "UTC")
        newest = yesterday(zone, settings.clock.now())
        if window.end <= newest:
            closed.append(profile)
            continue
        failures[profile.property_id] = ConfigError(
            f"{window.end} is not over yet in {zone} (property {profile.property_id}): the "
            f"newest complete day is {newest}, use --date {newest} or an earlier one."
        )
    if not closed:
        raise next(iter(failures.values()))
    return closed, failures
