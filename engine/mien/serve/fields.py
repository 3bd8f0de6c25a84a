"""Every field of the HTTP API, in one table.

From these classes come the reading of requests (`mien.serve.refusal`), the answers, the JSON schemas of
/api/v1/openapi.json (`mien.serve.openapi`) and the tables of docs/http-api.md (`mien.serve.reference`). What a field
means is its description; limits and patterns are checked where a request is read.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Annotated, Any, Final, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from mien import config
from mien.config import GAIN_LIMIT, RELAX_LIMIT, WRINKLES_LIMIT
from mien.fuse.background import COLOURS
from mien.pipeline.controller import Level
from mien.serve.decoding import KINDS
from mien.serve.settings import LEAST_LATENCY, MOST_LATENCY
from mien.style.opening import style_names

GAINS: Final = tuple(item.name for item in fields(config.Gains))
SDP_CHARACTERS: Final = 64 << 10
ROOM: Final = "[a-z0-9-]{1,64}"
_BACKGROUNDS: Final = ("keep", "blur", *COLOURS)
"""Beside colours as #rrggbb; never a file's name."""


def _matching(pattern: str, expected: str) -> Meta:
    r"""Text that matches a regular expression as a whole; `expected` says so in words.

    The schema has its own form: in Python `$` also matches before a line's end, in JSON Schema there is no `\Z`.
    """
    return Meta(
        pattern=rf"^(?:{pattern})\Z",
        extra_json_schema={"pattern": f"^(?:{pattern})$"},
        extra={"expected": expected},
    )


Id = Annotated[str, Meta(min_length=1, max_length=64)]
Count = Annotated[int, Meta(ge=0)]
Gain = Annotated[float, Meta(ge=0, le=GAIN_LIMIT)]
Relax = Annotated[float, Meta(ge=0, le=RELAX_LIMIT)]
Degree = Annotated[float, Meta(ge=0, le=1)]
Wrinkles = Annotated[float, Meta(ge=0, le=WRINKLES_LIMIT)]
Milliseconds = Annotated[float, Meta(ge=LEAST_LATENCY * 1e3, le=MOST_LATENCY * 1e3)]
Sdp = Annotated[
    str,
    Meta(
        min_length=1, max_length=SDP_CHARACTERS, extra={"expected": f"an offer of 1 to {SDP_CHARACTERS:,} characters"}
    ),
]
Token = Annotated[str, Meta(min_length=1, max_length=128)]
RoomName = Annotated[str, _matching(ROOM, "1 to 64 of a-z, 0-9 and -")]
Background = Annotated[
    str,
    _matching(
        f"{'|'.join(_BACKGROUNDS)}|#[0-9a-fA-F]{{6}}", f"one of {', '.join(_BACKGROUNDS)} or a colour as #rrggbb"
    ),
]
PLAIN: Final = "none"
"""In the place of a style: as photographed; of a second portrait: not blended."""
_STYLES: Final = style_names()
_STRONG: Final = rf"(?:{'|'.join(_STYLES or ('-',))})(?::(?:0|1|0?\.[0-9]{{1,4}}))?"
Style = Annotated[
    str,
    _matching(
        rf"{PLAIN}|{_STRONG}(?:\+{_STRONG}){{0,7}}",
        f"{PLAIN}, one of {', '.join(_STYLES)}, NAME:STRENGTH with a strength of 0 to 1, or several joined by +",
    ),
]
Unit = Annotated[float, Meta(ge=0, le=1)]
Seed = Annotated[
    float, Meta(ge=0, le=2**53 - 1, multiple_of=1, extra={"expected": "a whole number from 0 to 2 ** 53 - 1"})
]
Side = Annotated[float, Meta(ge=256, le=1024, multiple_of=1, extra={"expected": "a whole number from 256 to 1024"})]
"""Whole numbers that may be written with a point, as JSON has no other kind of number."""
Hair = Literal["black", "dark", "brown", "fair", "red", "grey", "white"]
TRAITS: Final = ("hair", "skin", "smile", "beard", "long_hair", "full_hair")
"""Of a portrait of nobody, as `mien.nobody.asking.Wish` has them."""
State = Literal["opening", "running", "waiting", "ended"]


def _means(text: str) -> Meta:
    return Meta(description=text)


class Table(Struct, forbid_unknown_fields=True):
    """A JSON object of which every member is named here."""


# Requests


class SomeGains(Table):
    """How strongly each part of the driver's motion is applied; what is left out stays as it is."""

    expression: Gain | None = None
    pose: Gain | None = None
    eyes: Gain | None = None
    lips: Gain | None = None
    brows: Gain | None = None
    gaze: Gain | None = None
    translation: Gain | None = None


class Steering(Table):
    """What can be asked of a session at its beginning and while it runs."""

    gains: Annotated[SomeGains | None, _means("any of the seven; omitted ones are unchanged, 1 at the beginning")] = (
        None
    )
    portrait: Annotated[Id | None, _means("an id of `GET /api/v1/portraits`; default at the beginning: the first")] = (
        None
    )
    target_latency_ms: Annotated[Milliseconds | None, _means("target latency from capture to emit")] = None
    background: Annotated[Background | None, _means("`keep`, `blur`, `#rrggbb` or a colour's name")] = None
    relax: Annotated[Relax | None, _means("share of the portrait's own smile, squint and raised brows taken out")] = (
        None
    )
    wrinkles: Annotated[Wrinkles | None, _means("strength of the lines that come with an expression, 0: none")] = None
    style: Annotated[
        Style | None,
        _means("a painter's style of `GET /api/v1/server`, `NAME:STRENGTH`, several joined by +; or `none`"),
    ] = None
    morph: Annotated[
        Id | None, _means("an id of `GET /api/v1/portraits` that the portrait is blended with; or `none`")
    ] = None
    degree: Annotated[Degree | None, _means("how far towards `morph`: 0 is the portrait, 1 the other one")] = None

    @property
    def wished_style(self) -> str | None:
        """`style` as `ReenactSettings` has it; None: as photographed."""
        return None if self.style == PLAIN else self.style

    @property
    def latency(self) -> float | None:
        """`target_latency_ms` in seconds."""
        return None if self.target_latency_ms is None else self.target_latency_ms / 1e3

    def applied_to(self, gains: config.Gains) -> config.Gains:
        """The gains after this; those that are not named stay."""
        if self.gains is None:
            return gains
        given = {name: getattr(self.gains, name) for name in GAINS}
        return replace(gains, **{name: gain for name, gain in given.items() if gain is not None})


class Opening(Steering, kw_only=True):
    """Body of `POST /api/v1/sessions`."""

    sdp: Annotated[Sdp, _means("an offer (SDP); candidates may be included or follow")]
    room: Annotated[
        RoomName | None, _means("1 to 64 of `a-z 0-9 -`; at most two sessions, a third is refused by 409")
    ] = None
    resume: Annotated[Token | None, _means("a session's `resume_token`: this peer takes over that session")] = None


class Change(Steering):
    """Body of `PATCH /api/v1/sessions/ID`."""

    paused: Annotated[bool | None, _means("whether the run is paused: the last picture stays")] = None
    panic: Annotated[bool | None, _means("whether the slate replaces every picture")] = None
    rezero: Annotated[bool | None, _means("`true`: the driver's present face becomes its neutral")] = None


class Upload(Table):
    """Form of `POST /api/v1/portraits`."""

    picture: Annotated[str, Meta(description=f"a file: {KINDS}", extra_json_schema={"format": "binary"})]
    consent: Annotated[str, Meta(min_length=1, description="who is seen, and that they agree")]
    name: Annotated[str | UnsetType, _means("default: the file's name")] = UNSET


class Somebody(Table):
    """Body of `POST /api/v1/avatars`: a portrait of nobody; what is not given is left to chance."""

    seed: Annotated[Seed, _means("the same seed and wishes give the same picture")] = 0
    size: Annotated[Side, _means("side of the picture in pixels")] = 512
    hair: Annotated[Hair | None, _means("its colour")] = None
    skin: Annotated[Unit | None, _means("0 dark, 1 light")] = None
    smile: Annotated[Unit | None, _means("default: a slight one")] = None
    beard: Unit | None = None
    long_hair: Unit | None = None
    full_hair: Annotated[Unit | None, _means("hair above the forehead, 0: bald")] = None
    glasses: bool = False


# Answers


class Fault(Table):
    """What went wrong, in one line and in its parts."""

    message: Annotated[str, _means("the message; the parts below are present if it has them")]
    what: str | UnsetType = UNSET
    expected: str | UnsetType = UNSET
    got: str | UnsetType = UNSET
    do: str | UnsetType = UNSET


class Error(Table):
    """Every answer with a status from 400 on."""

    error: Fault


class Gains(Table):
    """Gains on each part of the driver's motion: 0 switches it off, 1 is the driver's own."""

    expression: Annotated[Gain, _means("all of the face; multiplies `eyes`, `lips` and `brows`")]
    pose: Annotated[Gain, _means("head rotation")]
    eyes: Annotated[Gain, _means("eyelids")]
    lips: Annotated[Gain, _means("lips, mouth and jaw")]
    brows: Gain
    gaze: Annotated[Gain, _means("gaze direction")]
    translation: Annotated[Gain, _means("position and size of the head in the picture")]


class IceServer(Table):
    """As `RTCPeerConnection` takes it."""

    urls: str
    username: str | UnsetType = UNSET
    credential: str | UnsetType = UNSET


class Session(Table):
    """A session, from outside."""

    id: Id
    state: Annotated[State, _means("`waiting`: its peer is gone, and it can be resumed")]
    ended_because: str | None
    portrait: Annotated[Id, _means("the portrait that is shown")]
    room: RoomName | None
    gains: Gains
    target_latency_ms: Milliseconds
    background: str
    style: Annotated[str, _means("as it is shown; `none`: as photographed")]
    morph: Annotated[str, _means("the portrait that it is blended with, as it is shown; or `none`")]
    degree: Degree
    relax: Relax
    wrinkles: Wrinkles
    paused: bool
    panic: bool
    mark: Annotated[bool, _means('whether the visible mark "synthetic" is drawn')]
    seconds: Annotated[float, _means("seconds since it began")]
    whep: Annotated[str, _means("address for watching it: `/whep/ID`")]
    viewers: Count


class Begun(Session):
    """Answer of `POST /api/v1/sessions`: the session, and the answer to its offer."""

    sdp: Annotated[str, _means("the answer, with all candidates")]
    resume_token: Annotated[str, _means("new with each answer")]
    ice_servers: list[IceServer]


class Sessions(Table):
    """All sessions."""

    sessions: list[Session]


class Notice(Table):
    """A message for the user of the session."""

    number: Annotated[Count, _means("increases, so new notices can be recognised")]
    text: str


class FrameCounts(Table):
    """Frames of a run so far."""

    come: Count = field(name="in")
    out: Count
    dropped: Annotated[Count, _means("replaced by a newer frame")]
    broken: Annotated[Count, _means("that failed to decode")]
    without_face: Count


class Latency(Table):
    """A distribution of durations in milliseconds."""

    count: Count
    mean_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float


class Shot(Table):
    """What the driver's camera took in one go."""

    shot: Annotated[Count, _means("its number; repeated if an earlier shot returned")]
    begin: Annotated[float, _means("seconds from the run's first frame")]
    frames: Count
    cause: Annotated[str, _means("evidence for the cut before it")]


class Statistics(Table):
    """How a session fares; from `frames` on only once it runs, as `mien live --json` writes it."""

    id: Id
    state: State
    portrait: Id
    backend: Annotated[str | None, _means("model and runtime")]
    level: Annotated[Level | None, _means("how much is computed: see the levels of `mien live`")]
    cause: Annotated[str | None, _means("why the level was lowered")]
    latency_ms: Annotated[float | None, _means("from capture to emit, mean of the latest frames")]
    target_latency_ms: Milliseconds
    fps_in: Annotated[float, _means("over the last second or so")]
    fps_out: Annotated[float, _means("the same, of emitted frames")]
    face: Annotated[Literal["found", "lost"] | None, _means("`null`: not yet known")]
    stalled: Annotated[bool, _means("whether the source gives no frames")]
    recording: bool
    paused: bool
    panic: bool
    connection: Annotated[
        dict[str, Any] | None,
        _means(
            "`state`, and what is known of the peer connection: `bitrate_in`, `bitrate_out` (bits a second), "
            "`packets_lost`, `packets_recovered` (that came again), `sound_concealed` (gaps made up for), "
            "`round_trip_ms`, `codec` and more; `null` while waiting"
        ),
    ]
    notices: Annotated[list[Notice], _means("the latest 20")]
    frames: FrameCounts | UnsetType = UNSET
    stages: Annotated[dict[str, Latency] | UnsetType, _means("by stage")] = UNSET
    live: Annotated[dict[str, Any] | UnsetType, _means("counters of a live run")] = UNSET
    seconds: float | UnsetType = UNSET
    fps: float | UnsetType = UNSET
    shots: list[Shot] | UnsetType = UNSET
    warnings: list[str] | UnsetType = UNSET


class Portrait(Table):
    """A portrait that a session can show."""

    id: Id
    name: str
    sample: Annotated[bool, _means("whether it is a sample of the package; samples show nobody and cannot be deleted")]
    width: Count
    height: Count
    picture: Annotated[str, _means("address of the picture")]
    consent: Annotated[str | None, _means("who is shown, and that they agree; samples have none")]


class Portraits(Table):
    """All portraits, samples first."""

    portraits: list[Portrait]


class Record(Table):
    """The record of a session: a JSON web signature in its flattened form (RFC 7515, 7.2.2)."""

    protected: Annotated[str, _means("its header with the signer's certificates, in base64url")]
    payload: Annotated[str, _means("what is recorded, as JSON in base64url: see docs/provenance.md")]
    signature: str


class Verified(Table):
    """What a file says of itself, as `mien verify` tells it."""

    good: Annotated[bool, _means("mien made it, says something, and nothing contradicts")]
    lines: Annotated[list[str], _means("three lines for people")]
    details: Annotated[dict[str, Any], _means("what `mien verify --json` tells")]


class Room(Table):
    """Who is in a room; an empty one is one, too."""

    name: RoomName
    sessions: Annotated[list[Id], _means("ids of sessions")]


class Model(Table):
    """A model that is here."""

    name: str
    packaged: Annotated[bool, _means("whether it is in the package")]
    used: bool


class Models(Table):
    """All models."""

    models: list[Model]


class Status(Table):
    """Answer of `/healthz` and `/readyz`."""

    status: Literal["ok", "ready", "starting"]


class UploadLimits(Table):
    """The most that an upload may be."""

    bytes: Count
    pixels: Count
    consent_characters: Count


class Server(Table):
    """What the server is."""

    version: Annotated[str, _means("version of mien")]
    token_required: bool
    authorised: Annotated[bool, _means("whether this request had the token, or none is needed")]
    ice_servers: Annotated[list[IceServer], _means("empty if `authorised` is false")]
    max_sessions: Count
    sessions: Count
    ready: Annotated[bool, _means("whether sessions can begin")]
    mark: Annotated[bool, _means('whether the visible mark "synthetic" is drawn')]
    model: str
    backend: Annotated[str | None, _means("model and runtime; `null` until it is loaded")]
    resume_seconds: Annotated[float, _means("seconds that a session waits for a lost peer")]
    target_latency_ms: Annotated[Milliseconds, _means("default of a session")]
    gain_limit: float
    styles: Annotated[list[str], _means("names of the painters' styles")]
    upload: UploadLimits


class ServerStatistics(Table):
    """How the server fares."""

    seconds: Annotated[float, _means("seconds since it began")]
    sessions: Count
    max_sessions: Count
    sessions_begun: Count
    sessions_resumed: Count
    sessions_refused: Annotated[Count, _means("because the server was full")]
    sessions_failed: Annotated[Count, _means("because the offer could not be met")]
    portraits: Count
    streams: Annotated[Count, _means("open event streams")]
    memory_bytes: Count
    threads: Annotated[Count, _means("Python threads")]


REQUESTS: Final = (Opening, Change, SomeGains, Upload, Somebody)
ANSWERS: Final = (
    *(Session, Begun, Sessions, Gains, Statistics, FrameCounts, Latency, Shot, Notice, Portrait, Portraits, Room),
    *(Server, UploadLimits, IceServer, Models, Model, ServerStatistics, Status, Error, Fault, Record, Verified),
)
