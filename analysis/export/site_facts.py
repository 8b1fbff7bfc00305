"""What a report needs and no record has, from one YAML file: `--facts site.yaml`.

Every key is optional; what is absent is left out of a report by name. An unknown key is refused,
so that a typing error loses nothing.
"""

from __future__ import annotations

import dataclasses
import difflib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, FiniteFloat, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from analysis.errors import AnalysisError, unknown
from analysis.records.emission_factor import is_possible
from metering.emissions import countries

_STRICT = ConfigDict(extra="forbid")
Positive = Annotated[FiniteFloat, Field(gt=0)]
_COUNTRY = "^[A-Z]{3}$"
_ADDRESS = "^[A-Za-z][A-Za-z0-9+.-]*:[^ ]+$"
_PATTERNS = {
    _COUNTRY: "it is no country; give three capital letters (ISO 3166), such as FRA",
    _ADDRESS: "it is no address; give one such as https://example.org/model.pth",
}
"""What each pattern asks for."""
EnergySource = Literal[
    "coal",
    "oil",
    "natural-gas",
    "nuclear",
    "wind",
    "solar",
    "geothermal",
    "hydropower",
    "biofuel",
    "unknown",
    "other",
]
PowerSource = Literal["solar", "wind", "nuclear", "hydroelectric", "gas", "coal", "other"]


@dataclass(frozen=True, config=_STRICT)
class Publisher:
    """Who hands the report in. url: a web address that stands for the organisation."""

    name: str
    division: str | None = None
    project: str | None = None
    url: str | None = None
    confidentiality: Literal["public", "internal", "confidential", "secret"] | None = None


@dataclass(frozen=True, config=_STRICT)
class Supplier:
    """Of the electricity. energy_source: CycloneDX's words."""

    name: str
    energy_source: EnergySource = "unknown"


@dataclass(frozen=True, config=_STRICT)
class Infrastructure:
    """kind: BoAmps' words. provider, instance: of a cloud."""

    kind: Literal["publicCloud", "privateCloud", "onPremise", "other"]
    provider: str | None = None
    instance: str | None = None


@dataclass(frozen=True, config=_STRICT)
class Embodied:
    """Carbon of making one device with its share of the server, kg CO2eq; lifetime_years: that it
    serves; utilisation: share of that time that it computes, taken as 1 where it is not said, of
    which the report tells; source: who says so."""

    kg_co2eq_per_device: Positive
    lifetime_years: Positive
    source: str
    utilisation: Annotated[FiniteFloat, Field(gt=0, le=1)] | None = None


@dataclass(frozen=True, config=_STRICT)
class Baseline:
    """What a run is compared with. kwh_per_sample: of the same phase; record: a path to one."""

    name: str
    train_kwh_per_sample: Positive | None = None
    test_kwh_per_sample: Positive | None = None
    source: str | None = None


@dataclass(frozen=True, config=_STRICT)
class ModelPage:
    """Of the model as it is handed out. release_time: ISO 8601 with a zone."""

    name: str | None = None
    version: str | None = None
    download_location: Annotated[str, Field(pattern=_ADDRESS)] | None = None
    release_time: str | None = None
    training_type: Literal["pre-training", "fine-tuning"] | None = None


@dataclass(frozen=True, config=_STRICT)
class SiteFacts:
    """location: town and country, for a reader; country: ISO 3166 alpha-3; pue: of the data
    centre; carbon_intensity_g_per_kwh: of the supply, and carbon_intensity_source: who says so;
    power_source: BoAmps' words; data_size_gb: of the training set."""

    publisher: Publisher | None = None
    supplier: Supplier | None = None
    infrastructure: Infrastructure | None = None
    location: str | None = None
    country: Annotated[str, Field(pattern=_COUNTRY)] | None = None
    pue: Annotated[FiniteFloat, Field(ge=1, le=10)] | None = None
    carbon_intensity_g_per_kwh: Annotated[FiniteFloat, Field(ge=0)] | None = None
    carbon_intensity_source: str | None = None
    power_source: PowerSource | None = None
    embodied: Embodied | None = None
    baseline: Baseline | None = None
    model: ModelPage = ModelPage()
    data_size_gb: Positive | None = None
    gpu_memory_gib: Positive | None = None


_ADAPTER = TypeAdapter(SiteFacts)


def read_site_facts(path: Path) -> SiteFacts:
    """Raises `AnalysisError` with one line that names the key, its value and the cure."""
    import yaml

    try:
        text = path.read_text(encoding="utf-8")
        content = yaml.safe_load(text)
        twice = repeated_key(yaml.compose(text, yaml.SafeLoader))
    except OSError as error:
        raise AnalysisError(f"--facts {path} cannot be read: {error.strerror or error}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        message = " ".join(str(error).split())
        raise AnalysisError(f"--facts {path} is not YAML: {message}") from None
    if twice is not None:
        raise AnalysisError(f"--facts {path}: {twice} stands twice; keep one of them")
    if content is None:
        return SiteFacts()
    if not isinstance(content, dict):
        raise AnalysisError(f"--facts {path} is not a mapping; write lines like `pue: 1.2`")
    try:
        facts = _ADAPTER.validate_python(content)
    except ValidationError as error:
        raise _refusal(path, error) from None
    _check_country(path, facts)
    grams = facts.carbon_intensity_g_per_kwh
    if grams and not is_possible(grams / 1000):
        raise AnalysisError(
            f"--facts {path}: carbon_intensity_g_per_kwh: {grams:g} is no supply's; it is in grams "
            "per kWh, 0.5 to 1,500, or 0"
        )
    return facts


def _check_country(path: Path, facts: SiteFacts) -> None:
    """Raises `AnalysisError` for a country that has no factor, unless the intensity is given."""
    if facts.country is None or facts.carbon_intensity_g_per_kwh is not None:
        return
    try:
        known = countries()
    except ModuleNotFoundError:
        return  # carbon then says that no factor is known
    if facts.country not in known:
        near = difflib.get_close_matches(facts.country, known, n=3)
        cure = f"did you mean {' or '.join(near)}? If" if near else "if"
        raise AnalysisError(
            f"--facts {path}: country: {facts.country!r} has no factor in CodeCarbon's table; "
            f"{cure} it is right, give carbon_intensity_g_per_kwh with it"
        )


def repeated_key(root: Any) -> str | None:
    """The first key of a YAML document that one mapping has twice, with its line; None where each
    stands once. root: of `yaml.compose`, `None` for an empty document."""
    waiting, visited = [(root, "")] if root is not None else [], set[int]()
    while waiting:
        node, group = waiting.pop(0)
        if isinstance(node.value, str) or id(node) in visited:
            continue  # an anchor may stand for what holds it
        visited.add(id(node))
        names = set[str]()
        for child in node.value:
            if not isinstance(child, tuple):
                waiting.append((child, group))
                continue
            key, value = child
            name = f"{group}.{key.value}" if group else str(key.value)
            if name in names:
                return f"{name} (line {key.start_mark.line + 1})"
            names.add(name)
            waiting.append((value, name))
    return None


def _refusal(path: Path, error: ValidationError) -> AnalysisError:
    errors = error.errors(include_url=False)
    # a typing error makes an unknown key and a missing one: the first says more
    first = next(
        (error for error in errors if error["type"] == "unexpected_keyword_argument"), errors[0]
    )
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "unexpected_keyword_argument":
        *group, name = first["loc"]
        return unknown(f"--facts {path}: key", str(name), _keys(SiteFacts, [str(g) for g in group]))
    return AnalysisError(f"--facts {path}: {key}: {first['input']!r}: {_words(first)}")


def _words(error: Any) -> str:
    """pydantic's, with the cure where there is one."""
    words, value = str(error["msg"]), error["input"]
    if error["type"] == "string_pattern_mismatch":
        return _PATTERNS[error["ctx"]["pattern"]]
    if error["type"] == "string_type" and isinstance(value, bool):
        return f"YAML reads this as {str(value).lower()}; put the word in quotes"
    if error["type"] == "string_type" and not isinstance(value, dict | list | None):
        return "it is no text; put it in quotes"
    if error["type"] == "float_parsing":
        return "it is no number; write one such as 1.2, with a point and without a unit"
    if error["type"] == "dataclass_type":
        return "it is one value; give KEY: VALUE pairs, see docs/exports.md"
    return words


def _keys(kind: Any, group: list[str]) -> list[str]:
    """Names of the fields of a group, such as `embodied`."""
    for name in group:
        field = next(field for field in dataclasses.fields(kind) if field.name == name)
        kind = globals()[str(field.type).split(" ", maxsplit=1)[0]]
    return [field.name for field in dataclasses.fields(kind)]
