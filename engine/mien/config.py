"""All settings of a run: frozen, validated, free of side effects; and presets of gains."""

from __future__ import annotations

import operator
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from mien.errors import SettingError

Backend = Literal["auto", "onnxruntime", "openvino", "tensorrt", "onnxruntime-cuda", "onnxruntime-tensorrt", "torch"]
MotionMode = Literal["relative", "absolute"]
Mouth = Literal["driver", "none"]
Landmarks = Literal["mediapipe", "onnx"]

WARP = "warp"
"""The name for no model: the portrait is warped, its mouth the driver's or drawn plain."""
BACKENDS: tuple[Backend, ...] = get_args(Backend)
MOTION_MODES: tuple[MotionMode, ...] = get_args(MotionMode)
MOUTHS: tuple[Mouth, ...] = get_args(Mouth)
LANDMARKS: tuple[Landmarks, ...] = get_args(Landmarks)

ALPHA = "alpha"
"""Transparent background."""
GAIN_LIMIT = 3.0
RELAX_LIMIT, WRINKLES_LIMIT = 1.0, 2.0
SIZE_MIN, SIZE_MAX = 64, 4096


def _need_within(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:  # as NaN is not
        raise SettingError(f"{name} must be a number from {low:g} to {high:g}, got {told(value)}")


def told(value: float) -> str:
    """A number for messages, short however large it is."""
    try:
        return f"{value:g}"
    except OverflowError:  # a whole number that is no float
        return "one of many digits"


def need_size(size: int | None) -> None:
    """Check a longer side in pixels; raises SettingError if it is out of range."""
    if size is None:
        return
    try:
        whole = operator.index(size)
    except TypeError:
        raise SettingError(f"size must be a whole number of pixels, got {size!r}") from None
    _need_within("size", whole, SIZE_MIN, SIZE_MAX)


def need_threads(threads: int | None) -> None:
    """Check a number of processor threads, None being all; raises SettingError if it is out of range."""
    if threads is not None:
        _need_within("threads", threads, 1, 1024)


def _need_one_of(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise SettingError(f"{name} must be one of {', '.join(choices)}, got {value!r}")


def need_degree(degree: float) -> None:
    """Check how far a morph goes; raises SettingError if it is not within 0..1."""
    _need_within("degree", degree, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Gains:
    """Gains on each part of the driver's motion: 0 switches it off, 1 is the driver's own."""

    expression: float = 1.0
    """All offsets of the face's surface from neutral; multiplies `eyes`, `lips` and `brows`."""
    pose: float = 1.0
    """Head rotation."""
    eyes: float = 1.0
    """Eyelids."""
    lips: float = 1.0
    """Lips, mouth and jaw."""
    brows: float = 1.0
    gaze: float = 1.0
    """Irises inside their lids."""
    translation: float = 1.0
    """Head translation in the picture and its change of size."""

    def __post_init__(self) -> None:
        for name in self.__slots__:
            _need_within(f"gain {name}", getattr(self, name), 0.0, GAIN_LIMIT)


@dataclass(frozen=True, slots=True)
class OneEuro:
    """A One Euro filter: a low-pass whose cut-off rises with speed (Casiez et al. 2012)."""

    min_cutoff: float
    """Cut-off at rest in Hz: lower is steadier."""
    beta: float
    """How much the cut-off rises, in Hz per unit of the channel a second: higher follows fast moves sooner."""

    def __post_init__(self) -> None:
        _need_within("min_cutoff", self.min_cutoff, 1e-3, 1e3)
        _need_within("beta", self.beta, 0.0, 1e4)


@dataclass(frozen=True, slots=True)
class MotionSettings:
    """How the driver's motion is transferred."""

    mode: MotionMode = "relative"
    """`relative`: the portrait's own face plus the driver's change from neutral.
    `absolute`: the driver's own landmarks, for self-reenactment."""
    gains: Gains = field(default_factory=Gains)
    pose: OneEuro = OneEuro(min_cutoff=0.35, beta=20.0)
    """Rotation and translation; units of radians and of face widths."""
    expression: OneEuro = OneEuro(min_cutoff=1.0, beta=40.0)
    """Surface offsets in face widths."""
    shortfall: OneEuro = OneEuro(min_cutoff=0.3, beta=10.0)
    """What is added to brows, which are read too calm; slower than they, so that jitter is not amplified."""
    eyes: OneEuro = OneEuro(min_cutoff=1.5, beta=80.0)
    """Eyelids and irises in face widths: blinks must not lag."""
    scale: OneEuro = OneEuro(min_cutoff=0.3, beta=6.0)
    """Size of the head relative to neutral."""

    def __post_init__(self) -> None:
        _need_one_of("motion", self.mode, MOTION_MODES)


@dataclass(frozen=True, slots=True)
class CredentialSettings:
    """How files say what made them: by content credentials (C2PA), signed."""

    wanted: bool = True
    key: str | None = None
    """PEM file of the private key that signs; None: one of mien's own, made on first use."""
    chain: str | None = None
    """PEM file of its certificates, the signer's first."""
    consent: str | None = None
    """A note on who is seen, and that they agree; it becomes part of the credentials."""
    thumbnails: bool = False
    """Whether small pictures of what was read go along with its hashes."""

    def __post_init__(self) -> None:
        if (self.key is None) != (self.chain is None):
            raise SettingError("--sign and --cert: expected both or neither, got one; name the other one, too")
        try:
            (self.consent or "").encode()
        except UnicodeEncodeError:  # of an argument that the system could not decode
            raise SettingError("--consent: expected text in UTF-8, got bytes that are none; write it anew") from None


@dataclass(frozen=True, slots=True)
class ReenactSettings:
    """All settings that influence the output pixels for a given portrait and driver."""

    model: str = "oneshot-live"
    """`warp`, the name of a bundle that is packaged or was added, or a bundle's folder."""
    backend: Backend = "auto"
    """What runs the model's graphs; `auto` measures once what is there."""
    landmarks: Landmarks = "mediapipe"
    """What finds the driver's face: MediaPipe, or the same networks as ONNX graphs by the runtimes that models use."""
    motion: MotionSettings = field(default_factory=MotionSettings)
    mouth: Mouth = "driver"
    """Where the inner mouth comes from: the driver's own, colour-matched, or only what the portrait shows."""
    relax: float = 0.0
    """How much of the portrait's own smile, squint and raised brows is taken out where the driver is at rest, 0..1. An
    open mouth is closed in any case, and a smile yields where the driver's mouth narrows."""
    smooth: float = 0.5
    """Weight of the previous output where the flow is consistent, 0..0.95; 0 is off."""
    wrinkles: float = 1.0
    """Strength of the lines that come with an expression (forehead, frown, crow's feet, folds), 0 (none) to 2."""
    style: str | None = None
    """A painter's style: its name, `NAME:STRENGTH`, or several joined by +; None: as photographed."""
    style_picture: str | None = None
    """File of the portrait as it is drawn in that style, in place of the network's own drawing of it."""
    morph: str | None = None
    """File of a second portrait that the one that is moved is blended with; None: it stays itself."""
    degree: float = 0.7
    """How far towards `morph`: 0 is the portrait itself, 1 the second one."""
    face: int | None = None
    """Which face of the driver, counted from 0 in order of size in the first picture with faces; None: the largest."""
    size: int | None = None
    """Longer side of the output in pixels, made even; None: as large as the portrait."""
    background: str = "keep"
    """Behind the person: `keep`, `blur`, `alpha` (nothing), a colour (`#rrggbb` or a name), or a picture's file."""
    mark: bool = True
    """Whether the visible mark that says "synthetic" is drawn."""
    invisible_mark: bool = True
    """Whether the invisible mark is laid under the picture, from which `mien verify` reads which run made it."""
    credentials: CredentialSettings = field(default_factory=CredentialSettings)
    """Changes no pixel."""
    measured: bool = False
    """Measuring mode: the time code in a live driver's picture is shown in the portrait's; see `mien.emit.timecode`."""
    threads: int | None = None
    """Processor threads that the engine may use; None: all that the process may run on."""

    def __post_init__(self) -> None:
        _need_one_of("backend", self.backend, BACKENDS)
        _need_one_of("landmarks", self.landmarks, LANDMARKS)
        _need_one_of("mouth", self.mouth, MOUTHS)
        _need_within("relax", self.relax, 0.0, RELAX_LIMIT)
        _need_within("smooth", self.smooth, 0.0, 0.95)
        _need_within("wrinkles", self.wrinkles, 0.0, WRINKLES_LIMIT)
        if not self.background:
            raise SettingError("background must be keep, blur, alpha, a colour or a picture, got nothing")
        if self.style_picture is not None and self.style is None:
            raise SettingError("style_picture: expected a style that what is painted is drawn in, got none; name one")
        need_degree(self.degree)
        if self.face is not None:
            _need_within("face", self.face, 0, 15)
        need_size(self.size)
        need_threads(self.threads)


PRESETS: Final = {
    "natural": Gains(),
    "calm": Gains(expression=0.7, pose=0.6, brows=0.7, translation=0.4),
    "lively": Gains(expression=1.3, brows=1.2),
    "face-only": Gains(pose=0.0, translation=0.0),
}
"""In the order in which keys choose them."""


def applied(preset: str, given: Gains) -> Gains:
    """The gains of a preset, each times what is `given` beside: `natural` is `given` itself."""
    gains = PRESETS[preset]
    names = Gains.__slots__
    return Gains(**{name: min(getattr(gains, name) * getattr(given, name), GAIN_LIMIT) for name in names})
