"""A shop's register: `experiments.yml` and `changes.yml`, checked against plan and properties.

Every refusal is one sentence with the file, the entry, and the nearest name that is known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from pipelines.analysis.experiments.errors import ExperimentError
from pipelines.analysis.experiments.register import (
    LEAST_EFFECT,
    LEAST_VARIANTS,
    MOST_VARIANTS,
    SHARE_TOLERANCE,
    STAGES,
    Change,
    Exposure,
    Kind,
    Per,
    Register,
    Trial,
    control_first,
)
from pipelines.config.settings import Settings
from pipelines.config.tracking_plan.cell_types import (
    ASCII_NAME,
    Day,
    Device,
    Filled,
    Key,
    Name,
    in_context,
)
from pipelines.config.tracking_plan.plan_model import TrackingPlan
from pipelines.config.validation import first_problem
from pipelines.config.yamlfile import read_yaml
from pipelines.wording import shown

_EXAMPLE = {
    Kind.EXPERIMENT: "'cart_button: {hypothesis: …, key: add_to_cart, …}'",
    Kind.CHANGE: "'new_payment_form: {description: …, stage: checkout, start: 2026-06-12}'",
}
# Columns of an experiment whose outcomes GA4 tells.
_OF_GA4 = ("exposure_event", "exposure_parameter", "exposure_values", "per")
_NUMBER = r"[0-9]{1,9}(\.[0-9]{1,15})?"


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _as_shares(value: Any) -> Any:
    """`[control, new]` is an equal split."""
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return dict.fromkeys(value, "")
    return value


class _Entry(BaseModel):
    """The columns that both files have; the descriptions end a sentence on what cannot be read."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    id: Name
    property: Annotated[str, in_context("properties")]
    stage: Annotated[str, in_context("stages")] | None = None
    key: Key | None = None
    page: str = Field(
        "", pattern=r"^(/\S*)?$", description="the path of a page, such as /products/shoe"
    )
    device: Device = "all"
    elements: Annotated[tuple[Filled, ...], BeforeValidator(_as_list)] = Field(
        (), description="a list of what is changed, such as [button, headline]"
    )
    start: Day
    end: Day | None = None


class _ChangeEntry(_Entry):
    description: Filled


class _ExperimentEntry(_Entry):
    hypothesis: Filled
    # As tools spell them: 'Variation 1'.
    variants: Annotated[dict[Filled, str], BeforeValidator(_as_shares)] = Field(
        description="their names and shares, such as {control: 0.5, new: 0.5}, or [control, new]"
    )
    primary_metric: Key
    guardrail: Key = "purchase"
    smallest_effect: str = Field(
        "",
        pattern=rf"^({_NUMBER})?$",
        description="the smallest absolute difference of the rates that matters, such as 0.01",
    )
    outcomes: Filled | None = Field(None, description="the path of a CSV file")
    exposure_event: Filled | None = Field(None, description="the name of an event")
    exposure_parameter: str | None = Field(
        None, pattern=rf"^{ASCII_NAME}$", description="the name of an event's parameter"
    )
    exposure_values: dict[Filled, Filled] | None = Field(
        None, description="the parameter's value of each variant, such as {control: A-1, new: A-2}"
    )
    per: Literal["user", "session"] | None = None


def read_register(settings: Settings, plan: TrackingPlan, today: date) -> Register:
    """The entries of both files, where there are any; raises ExperimentError."""
    if settings.experiments is None and settings.changes is None:
        return Register()
    reader = _Reader(settings, plan, today)
    tried = reader.entries(settings.experiments, Kind.EXPERIMENT, _ExperimentEntry)
    changed = reader.entries(settings.changes, Kind.CHANGE, _ChangeEntry)
    for one in changed:
        if any(one.id == other.id for other in tried):
            raise ExperimentError(
                f"The id {shown(one.id)} is in {settings.experiments} and in {settings.changes}: "
                "give one of them another."
            )
    return Register.of([*tried, *changed])


class _Reader:
    """What entries are held against."""

    def __init__(self, settings: Settings, plan: TrackingPlan, today: date) -> None:
        self._today = today
        self._stages = {micro.key: micro.stage for micro in plan.micro_conversions}
        self._known = {
            "properties": frozenset(item.id for item in settings.properties),
            "stages": frozenset(STAGES),
            "keys": frozenset(self._stages),
        }

    def entries(self, path: Path | None, kind: Kind, model: type[_Entry]) -> list[Change]:
        """Those of one file."""
        if path is None:
            return []
        content = read_yaml(path, "The register", "correct it", ExperimentError) or {}
        if not isinstance(content, dict) or not all(
            isinstance(one, dict) for one in content.values()
        ):
            raise ExperimentError(
                f"The register {path} must hold lines of 'id: {{column: value}}', such as "
                f"{_EXAMPLE[kind]}."
            )
        return [self._entry(path, kind, model, name, one) for name, one in content.items()]

    def _entry(
        self, path: Path, kind: Kind, model: type[_Entry], name: str, columns: Mapping[str, Any]
    ) -> Change:
        said = _Said(path, kind, name)
        known = self._known["properties"]
        written = {column: one for column, one in columns.items() if one not in (None, "")}
        if "id" in written:
            raise said.wrong(
                "has a column 'id', but is named by what stands before it: leave it out"
            )
        if "property" not in written:
            if len(known) != 1:
                raise said.wrong(
                    "says nothing of its property: add such as "
                    f"'property: \"{min(known, default='123456789')}\"'"
                )
            written["property"] = min(known)
        for column, value in written.items():
            said.refuse_shape(column, value)
        try:
            row = model.model_validate({**written, "id": name}, context=self._known)
        except ValidationError as error:
            raise ExperimentError(
                first_problem(
                    error,
                    model,
                    f"in {path}" if error.errors()[0]["loc"] == ("id",) else said.where,
                )
            ) from error
        return self._change(row, said)

    def _change(self, row: _Entry, said: _Said) -> Change:
        if (row.stage is None) == (row.key is None):
            has = "neither stage nor key" if row.stage is None else "both stage and key"
            raise said.wrong(
                f"has {has}: write one, such as 'key: add_to_cart' or 'stage: product'"
            )
        start = date.fromisoformat(row.start)
        end = None if row.end is None else date.fromisoformat(row.end)
        if end is not None and end < start:
            raise said.wrong(f"ends on {end}, before its start ({start}): correct one of them")
        trial = self._trial(row, said) if isinstance(row, _ExperimentEntry) else None
        # The day after today has begun in the east.
        if trial is None and start > self._today + timedelta(days=1):
            raise said.wrong(
                f"starts on {start}, which is after today ({self._today}): write down what was "
                "changed once it is"
            )
        if isinstance(row, _ExperimentEntry):
            description = row.hypothesis
        else:
            assert isinstance(row, _ChangeEntry)
            description = row.description
        return Change(
            id=row.id,
            property_id=row.property,
            description=description,
            stage=row.stage or self._stages[row.key or ""],
            start=start,
            end=end,
            key=row.key or "",
            page=row.page,
            device=row.device,
            elements=row.elements,
            trial=trial,
        )

    @staticmethod
    def _trial(row: _ExperimentEntry, said: _Said) -> Trial:
        effect = float(row.smallest_effect) if row.smallest_effect else None
        if effect is not None and effect < LEAST_EFFECT:
            raise said.wrong(
                f"has the smallest_effect {effect:g}: no number of units would show it"
            )
        split = _split(row.variants, said)
        outcomes, exposure = None, None
        if row.outcomes is None:
            exposure = _exposure(row, split, said)
        else:
            outcomes = said.path.parent / Path(row.outcomes).expanduser()
            if written := [name for name in _OF_GA4 if getattr(row, name) is not None]:
                raise said.wrong(
                    f"has outcomes and {written[0]}, which is about outcomes that are counted from "
                    "GA4: leave one of them out"
                )
        return Trial(
            *(split, row.primary_metric, row.guardrail, effect, outcomes, exposure),
            per=Per(row.per or Per.USER),
        )


def _exposure(row: _ExperimentEntry, variants: Iterable[str], said: _Said) -> Exposure:
    values = row.exposure_values or {}
    if values and (set(values) != set(variants) or len(set(values.values())) < len(values)):
        raise said.wrong(
            f"has exposure_values that are not one of each variant ({', '.join(variants)}): write "
            "such as {control: A-1, new: A-2}"
        )
    return Exposure(
        row.exposure_event or Exposure.event,
        row.exposure_parameter or Exposure.parameter,
        {name: values[name] for name in variants} if values else {},
    )


def _split(written: Mapping[str, str], said: _Said) -> dict[str, float]:
    """Name → share, the control first."""
    number = len(written)
    if number < LEAST_VARIANTS:
        raise said.wrong("has one variant: an experiment has a control and at least one other")
    if number > MOST_VARIANTS:
        raise said.wrong(f"has {number} variants, and {MOST_VARIANTS} are the most")
    shares = dict.fromkeys(written, 1 / number)
    if any(written.values()):
        for name, text in written.items():
            if not re.fullmatch(_NUMBER, text) or not 0 < float(text) < 1:
                raise said.wrong(
                    f"has the share {shown(text)} of the variant {shown(name)}: write a number "
                    "between 0 and 1, such as 0.5"
                )
            shares[name] = float(text)
        if abs(sum(shares.values()) - 1) > SHARE_TOLERANCE:
            raise said.wrong(
                f"has a split that adds up to {sum(shares.values()):g}: its shares have to add up "
                "to 1; [control, new] splits equally"
            )
    return {name: shares[name] for name in control_first(written)}


class _Said:
    """How an entry is spoken of."""

    def __init__(self, path: Path, kind: Kind, name: str) -> None:
        self.path = path
        self._kind, self._name = kind, name
        self.where = f"of the {kind} {shown(name)} in {path}"

    def wrong(self, words: str) -> ExperimentError:
        """The error whose sentence is about the whole entry."""
        return ExperimentError(f"The {self._kind} {shown(self._name)} in {self.path} {words}.")

    def refuse_shape(self, column: str, value: Any) -> None:
        """Raises for a list or mapping where it cannot stand; which columns there are, pydantic
        knows.
        """
        if column == "variants":
            listed = value if isinstance(value, list) else []
            cells = list(value.values()) if isinstance(value, dict) else listed
            if not cells or not all(isinstance(one, str) for one in cells):
                raise self.wrong(
                    "has variants that cannot be read: write {control: 0.5, new: 0.5}, or "
                    "[control, new] for equal shares"
                )
            if twice := [one for one in listed if listed.count(one) > 1]:
                raise self.wrong(f"has the variant {shown(twice[0])} twice: keep one")
        elif column == "exposure_values":
            cells = [*value.values()] if isinstance(value, dict) else [value]
            if not isinstance(value, dict) or not _are_texts(cells):
                raise self.wrong(
                    "has exposure_values that cannot be read: write such as {control: A-1, new: "
                    "A-2}"
                )
        elif column == "elements":
            if not _are_texts(value if isinstance(value, list) else [value]):
                raise self.wrong("has elements that are no list of texts: write [button, headline]")
        elif not isinstance(value, str):
            raise self.wrong(f"has a {shown(column)} that is no text: write one value")


def _are_texts(values: Iterable[Any]) -> bool:
    return all(isinstance(one, str) for one in values)
