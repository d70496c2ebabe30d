"""The one settings object. No other module reads the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Literal

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from ava_core.base.errors import SettingsError

EMBEDDED_CVAT_PORT = 8502
CONSOLE_PORT = 8501
DAGSTER_PORT = 3000

CLIP_OPTIONS: Final = ("clip_seconds", "clip_min_seconds", "clip_width", "clip_height", "clip_fit")
"""Settings that decide how source videos are cut."""

SHAPING_OPTIONS: Final = (
    *CLIP_OPTIONS, "detector", "rfdetr_size", "rfdetr_resolution", "detect_fps", "detection_threshold", "tracker",
)  # fmt: skip
"""Settings that decide what is found in a batch's video."""

DEALING_OPTIONS: Final = ("overlap", "annotators_per_clip", "pair_floor", "seed", "annotators")
"""Settings that decide who annotates which clip."""


class Settings(BaseSettings):
    """Settings, read from `AVA_…` variables and from `.env` in the working directory.

    Everything has a default that works on a laptop with no other server. Times are seconds, sizes pixels,
    rates frames a second.
    """

    model_config = SettingsConfigDict(
        env_prefix="AVA_",
        env_file=".env",
        env_file_encoding="utf-8",
        extra="ignore",
        frozen=True,
        populate_by_name=True,
    )

    # where state lives
    home: Path = Field(Path("~/.ava"), description="Folder of all local state.")
    storage_url: str = Field(
        "", description="Root of files; a folder or a URL (s3://…). Default: HOME/storage."
    )
    storage_links: str = Field(
        "",
        pattern=r"^(https?://[^/;,\s]+)?$",
        description="Where browsers reach the object store (https://host): clips and downloads come from there, by "
        "links that hold for an hour. Default: the console fetches and serves them.",
    )
    database_url: str = Field("", description="SQLAlchemy URL. Default: SQLite in HOME.")
    inbox: Path | None = Field(None, description="Folder watched for new batches. Default: HOME/inbox.")
    dagster_postgres_url: SecretStr | None = Field(None, description="PostgreSQL for Dagster's own storage.")

    # words
    ontology: str = Field(
        "street",
        description="Name of a shipped ontology (street, ava80), of one that a package adds, or a path to a YAML file.",
    )

    rules: str = Field(
        "",
        description="YAML file of rules on annotations, or the name of rules that a package adds. Default: the "
        "ontology's shipped ones.",
    )

    # clips
    clip_seconds: float = Field(15.0, gt=0)
    clip_min_seconds: float = Field(
        5.0, gt=0, description="A remainder at least this long is kept as a clip."
    )
    clip_width: int = Field(1280, ge=64)
    clip_height: int = Field(720, ge=64)
    clip_fit: Literal["auto", "scale", "letterbox", "keep"] = Field(
        "auto",
        description="auto: keep streams that can be copied, treat the rest as scale. scale: fit inside, no bars, "
        "never enlarged. keep: the source's size.",
    )

    video_encoder: Literal["libx264", "h264_nvenc", "h264_vaapi", "h264_videotoolbox"] = Field(
        "libx264",
        description="Encoder for clips: libx264 in software, the others on a GPU. `ava doctor` says which work.",
    )
    video_decoder: Literal["software", "cuda", "vaapi", "videotoolbox"] = Field(
        "software",
        description="Decoder for source videos: software, or a GPU where it can. `ava doctor` says which work.",
    )

    # detection and tracking
    detector: str = Field("motion", description="motion, rfdetr, or the name of one that a package adds.")
    rfdetr_size: Literal["nano", "small", "medium", "large"] = "medium"
    rfdetr_weights: Path | None = Field(
        None, description="Weights file. Default: the file for that size in RF_HOME."
    )
    rfdetr_resolution: int | None = Field(
        None, description="Side of the model's input. Default: the model's native size."
    )
    rf_home: Path = Field(
        Path("~/.roboflow/models"),
        validation_alias="RF_HOME",
        description="Folder of RF-DETR's weights files.",
    )
    device: str = Field("auto", description="auto, cpu, cuda, cuda:1, mps")
    detect_fps: float | None = Field(
        None, gt=0, description="Detector rate. Default: 10 on a GPU, 5 on a CPU."
    )
    detection_threshold: float = Field(
        0.45, ge=0, le=1, description="Minimum score for a detection to start a track."
    )
    tracker: Literal["sort", "filterpy"] = Field(
        "sort", description="Array Kalman SORT, or filterpy's objects."
    )

    # how work is done
    runner: Literal["processes", "inline", "ray"] = Field(
        "processes",
        description="processes: videos in parallel. inline: one after another. ray: on a Ray cluster.",
    )
    ray_address: str = Field(
        "auto", description="Ray cluster: host:port, or auto for this machine's cluster."
    )
    executor: str = Field(
        "",
        pattern=r"^([A-Za-z_][\w.]*:[A-Za-z_]\w*)?$",
        description="Dagster executor that runs a run's steps, as module:name. Default: one after another in the run's "
        "process.",
    )
    workers: int = Field(
        0,
        ge=0,
        description="Worker processes. 0: one a core; on a GPU and for little work, none beside the run. With Ray: "
        "units at a time; 0: one a CPU of the cluster, or a GPU.",
    )

    # annotation server
    cvat_url: str = Field("", description="URL of CVAT. Default: the embedded annotation server.")
    cvat_username: str = "admin"
    cvat_password: SecretStr | None = None
    cvat_token: SecretStr | None = Field(None, description="API token or personal access token.")
    cvat_organisation: str = Field("ava", description="Organisation slug; all objects are made inside it.")
    cvat_project: str = Field("ava", description="Name of the project that holds the tasks.")
    cvat_port: int = Field(EMBEDDED_CVAT_PORT, description="Port of the embedded annotation server.")
    cvat_poll_seconds: int = Field(30, ge=1, description="Minimum seconds between two polls of the jobs.")
    webhook_secret: SecretStr | None = Field(None, description="Secret that signs webhook deliveries.")

    # assignment
    overlap: float = Field(1.0, ge=0, le=1, description="Share of clips assigned to several annotators.")
    annotators_per_clip: int = Field(3, ge=1, le=10, description="Annotators per such clip.")
    deal_out: Literal["at once", "on request"] = Field(
        "at once",
        description="at once: create tasks as soon as proposals exist. on request: create them after an admin has "
        "seen the plan.",
    )
    annotators: str = Field(
        "",
        description="User names of the annotators who get work, separated by commas. Default: all active annotators.",
    )
    pair_floor: int = Field(0, ge=0, description="Minimum number of clips shared by each pair of annotators.")
    seed: int = Field(0, description="Seed for assignment, splits and all other random choices.")

    # reading back
    answered_warning: float = Field(
        0.9,
        ge=0,
        le=1,
        description="Minimum share of person-seconds answered in every group; below it, you get a warning. Careful "
        "annotators leave one answer in a hundred open, hasty ones one in twenty.",
    )
    answered_least: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Answered share below which a batch blocks a release: more than half of a group's answers would "
        "be missing, which a dataset turns into a no.",
    )

    reading_may_lose: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Share of its people or answers that a job may lose from one reading to the next. A reading "
        "that loses more is held back until you take it up: removing labels in CVAT removes the work "
        "with them.",
    )

    later_readings: Literal["reopen", "list"] = Field(
        "reopen",
        description="Effect of reading an approved clip again. reopen: it needs a new review. list: it stays "
        "approved, in the platform's name, and log and releases list it.",
    )

    # servers of `ava up`
    look_seconds: int = Field(
        15, ge=1, description="Seconds between two checks for work; each check costs a little."
    )
    allow_hosts: str = Field(
        "",
        description="Host names other than loopback that this machine's servers answer to, separated by commas.",
    )
    cvat_registration: bool = Field(
        False, description="Let anyone create an account on the embedded annotation server."
    )
    upload_person_gb: float = Field(
        100.0, gt=0, description="Limit in GB for one person's uploads that are not yet a batch."
    )
    upload_total_gb: float = Field(
        500.0, gt=0, description="Limit in GB for all uploads that are not yet a batch."
    )
    console_host: str = Field(
        "127.0.0.1", description="Address the console listens on. Beyond loopback, put TLS in front of it."
    )
    console_port: int = CONSOLE_PORT
    dagster_port: int = DAGSTER_PORT
    dagster_url: str = Field(
        "", description="URL of Dagster's webserver for the console. Default: on this machine."
    )

    @field_validator("*", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: Any, info: ValidationInfo) -> Any:
        """An empty variable leaves an optional setting unset: compose files pass all of them on."""
        optional = info.field_name is not None and cls.model_fields[info.field_name].default is None
        return None if value == "" and optional else value

    @property
    def home_dir(self) -> Path:
        """`home` with `~` resolved, absolute."""
        return self.home.expanduser().absolute()

    @property
    def resolved_storage_url(self) -> str:
        """Root of all files."""
        return self.storage_url or str(self.home_dir / "storage")

    @property
    def resolved_database_url(self) -> str:
        """URL of the operational database, with the driver that this project installs."""
        return with_driver(self.database_url or f"sqlite:///{self.home_dir / 'ava.db'}")

    @property
    def inbox_dir(self) -> Path:
        """Folder that is watched for zips and folders of videos."""
        return (self.inbox or self.home_dir / "inbox").expanduser().absolute()

    @property
    def resolved_cvat_url(self) -> str:
        """URL of the annotation server, embedded or real."""
        return (self.cvat_url or f"http://127.0.0.1:{self.cvat_port}").rstrip("/")

    @property
    def cvat_is_embedded(self) -> bool:
        """Whether the embedded annotation server is used."""
        return not self.cvat_url

    @property
    def allowed_hosts(self) -> list[str]:
        """`allow_hosts` one by one."""
        return [name.strip() for name in self.allow_hosts.split(",") if name.strip()]

    @property
    def resolved_dagster_url(self) -> str:
        """URL of Dagster's webserver."""
        return (self.dagster_url or f"http://127.0.0.1:{self.dagster_port}").rstrip("/")

    @property
    def dagster_home(self) -> Path:
        """Folder of Dagster's own state."""
        return self.home_dir / "dagster"

    def environment(self) -> dict[str, str]:
        """The settings that were given, as `AVA_…` variables for a child process; secrets in clear.

        What was given as unset is passed on as empty, so that a child's `.env` cannot set it again.
        """
        values = {name: getattr(self, name) for name in self.model_fields_set}
        return {variable_of(name): _text(value) for name, value in values.items()} | {
            "AVA_HOME": str(self.home_dir)
        }

    def with_options(self, options: dict[str, Any]) -> Settings:
        """A copy in which a batch's own options replace the general ones; unknown names are refused."""
        unknown = sorted(set(options) - set(type(self).model_fields))
        if unknown:
            raise SettingsError(
                f"Unknown option {', '.join(unknown)}.", "See `.env.example` for valid names."
            )
        given = {name: getattr(self, name) for name in self.model_fields_set}
        return load_settings(**(given | options))


def variable_of(name: str) -> str:
    alias = Settings.model_fields[name].validation_alias
    return alias if isinstance(alias, str) else f"AVA_{name.upper()}"


def _text(value: object) -> str:
    if value is None:
        return ""
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def with_driver(url: str) -> str:
    """A database URL that names its driver: SQLAlchemy's versions differ on what a bare postgresql:// means."""
    for bare in ("postgresql://", "postgres://"):
        if url.startswith(bare):
            return "postgresql+psycopg2://" + url.removeprefix(bare)
    return url


def load_settings(**overrides: Any) -> Settings:
    """Read the settings; `overrides` win over the environment. Raises `SettingsError` naming the variable.

    >>> settings = load_settings(home="/srv/ava", clip_seconds=10)
    >>> settings.clip_seconds, settings.home_dir.as_posix(), settings.dagster_home.as_posix()
    (10.0, '/srv/ava', '/srv/ava/dagster')
    >>> load_settings(annotators_per_clip="several")
    Traceback (most recent call last):
    ava_core.base.errors.SettingsError: AVA_ANNOTATORS_PER_CLIP: ... (got 'several'). See `.env.example`.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        first = error.errors()[0]
        name = "AVA_" + "_".join(str(part) for part in first["loc"]).upper()
        raise SettingsError(
            f"{name}: {first['msg']} (got {first['input']!r}).", "See `.env.example`."
        ) from None
