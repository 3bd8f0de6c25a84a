"""The command line: `mien reenact | live | serve | parse | style | morph | ...`, and commands of other packages."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Self

from mien.clock import MonotonicClock
from mien.commands import avatar as avatar_command
from mien.commands import live as live_command
from mien.commands import models as models_command
from mien.commands import morph as morph_command
from mien.commands import parse as parse_command
from mien.commands import resynth as resynth_command
from mien.commands import serve as serve_command
from mien.commands import style as style_command
from mien.commands import verify as verify_command
from mien.commands.options import Options, add_marks_and_running, marks_of, need_places
from mien.commands.progress import ProgressLine, tell
from mien.config import BACKENDS, LANDMARKS, MOTION_MODES, MOUTHS, WARP, Gains, MotionSettings, ReenactSettings
from mien.errors import MienError, ReaderGone, SettingError, cure_of, reason_of, without_controls
from mien.machine import outputs, signals
from mien.machine.atomic import drop_drafts
from mien.machine.memory import share_heaps
from mien.machine.processor import spare_processors
from mien.machine.signals import INTERRUPT, NAMES, ending_by_signals
from mien.machine.streams import is_taken, is_unread, silence, standard_streams, warnings_told
from mien.machine.threads import need_room
from mien.stats import Statistics

DONE, REFUSED, READER_GONE = 0, 2, 141
ENDING, ENDED = 5.0, 1.0
"""Seconds that a live run waits at its end for whoever reads its statistics; the second one after a signal."""
ADDED_COMMANDS = "mien.commands"
"""Entry points of this group are commands: each a callable from arguments (list[str]) to exit code."""

_GAINS = {
    "expression": "all of the face's expression",
    "pose": "head rotation",
    "eyes": "eyelids",
    "lips": "lips and jaw",
    "brows": "brows",
    "gaze": "irises",
    "translation": "the head's way and size in the picture",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when done, 2 when refused with one line on stderr.

    128 and the signal's number when a signal ended it (130 an interrupt, 143 SIGTERM, 129 SIGHUP), and 141 when whoever
    read its output has ended.
    """
    share_heaps()
    spare_processors()
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    with standard_streams(), ending_by_signals() as ended:
        try:
            return _carried_out(given, debug)
        except KeyboardInterrupt as interrupt:
            ended.leaving = True
            drop_drafts()
            if not is_taken(sys.stdout, 0):  # else the interpreter waits for its reader at the end
                silence(sys.stdout)
            if debug:
                raise
            code = ended.code(interrupt)
            print(f"mien: {NAMES.get(code - 128, NAMES[INTERRUPT])}; no partial file was left", file=sys.stderr)
            return code
        finally:
            drop_drafts()


def _carried_out(given: list[str], debug: bool) -> int:
    """Run one command and flush its output; returns the exit code."""
    try:
        try:
            code = _command(given, debug)
        except Exception:
            signals.check()  # a library may have made an error of its own of what a signal raised
            raise
        except SystemExit:  # --help, --version
            sys.stdout.flush()
            raise
        sys.stdout.flush()
        return code
    except ReaderGone:
        silence(sys.stdout)
        return READER_GONE
    except MienError as error:
        if debug:
            raise
        return _refuse(str(error))
    except OSError as error:
        if isinstance(error, BrokenPipeError) and is_unread(sys.stdout):
            silence(sys.stdout)
            return READER_GONE
        if debug:
            raise
        silence(sys.stdout)  # which may be what failed
        cure = cure_of(error, "check it")
        return _refuse(f"{_what_of(error)}: expected to be able to use it, got an error ({reason_of(error)}); {cure}")


def _command(given: list[str], debug: bool) -> int:
    with contextlib.nullcontext() if given[:1] == ["serve"] else warnings_told(debug=debug):
        added = _added_command(given)
        if added is not None:
            return added(given[1:])
        options = _parser().parse_args(given)
        command: Callable[[argparse.Namespace], int] = options.command
        return command(options)


def _refuse(reason: str) -> int:
    print(f"mien: {without_controls(reason)}", file=sys.stderr)
    return REFUSED


def _what_of(error: OSError) -> str:
    """What the system could not use."""
    if error.filename is not None:
        return os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else str(error.filename)
    try:
        os.getcwd()
    except OSError:  # it was removed, and every name that is not absolute begins there
        return "the working folder"
    return "standard output or a file"


def _added_command(given: list[str]) -> Callable[[list[str]], int] | None:
    if not given or given[0].startswith("-"):
        return None
    for entry in entry_points(group=ADDED_COMMANDS, name=given[0]):
        command: Callable[[list[str]], int] = entry.load()
        return command
    return None


def _parser() -> argparse.ArgumentParser:
    parser = _Commands(prog="mien", description="One portrait, one live face: the portrait moves.")
    parser.add_argument("--version", action=_Version)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_reenact(commands)
    live = _add(commands, "live", _live, "drive a portrait by a camera, now")
    live_command.add_options(live)
    morph_command.add_second(live)
    _add_look(live)
    serve = _add(commands, "serve", _serve, "open the engine to browsers, WHIP and WHEP")
    serve_command.add_options(serve)
    _add_look(serve, files=False)
    parse = _filtered(parse_command.run)
    parse_command.add_options(_add(commands, "parse", parse, "label each pixel of a face picture or video"))
    style = _filtered(style_command.run)
    style_command.add_options(_add(commands, "style", style, "draw a picture or video in a painter's style"))
    morph_command.add_options(_add(commands, "morph", _morph, "blend two portraits into one between them"))
    resynth = _filtered(resynth_command.run)
    resynth_command.add_options(_add(commands, "resynth", resynth, "make a face video anew from its segmentation"))
    verify_command.add_options(_add(commands, "verify", verify_command.run, "say whether mien made a file"))
    avatar_command.add_options(_add(commands, "avatar", _avatar, "make a portrait of nobody"))
    doctor = _add(commands, "doctor", _doctor, "say what this machine has and what mien will use")
    doctor.add_argument("--json", action="store_true", help="as JSON")
    models_command.add_options(_add(commands, "models", _models, "list models, add and remove them"))
    samples = _add(commands, "samples", _samples, "list the sample portraits and the sample driver")
    samples.add_argument("--copy", type=Path, metavar="FOLDER", help="copy them there")
    return parser


class _Commands(Options):
    """Lists commands of other packages in the help text only, since finding them takes time."""

    def format_help(self) -> str:
        names = sorted(entry.name for entry in entry_points(group=ADDED_COMMANDS))
        if self.prog == "mien" and names:
            self.epilog = f"added by other packages, with help of their own: {', '.join(names)}"
        return super().format_help()


def _add(commands: Any, name: str, command: Callable[[argparse.Namespace], int], about: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=about, description=about.capitalize() + ".")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    parser.set_defaults(command=command)
    return parser


def _add_reenact(commands: Any) -> None:
    parser = _add(commands, "reenact", _reenact, "drive a portrait by the face in a video")
    parser.add_argument("portraits", nargs="+", metavar="PORTRAIT", help="picture, or several of one person")
    parser.add_argument(
        "--driver", required=True, metavar="SOURCE", help="video, picture or image sequence with a face"
    )
    parser.add_argument("--output", required=True, metavar="SINK", help="video file or image sequence; is replaced")
    parser.add_argument("--start", type=float, default=0.0, metavar="S", help="begin at this second of the driver")
    parser.add_argument("--duration", type=float, metavar="S", help="stop after so many seconds")
    parser.add_argument("--size", type=int, metavar="N", help="longer side of the output in pixels")
    parser.add_argument("--compare", action="store_true", help="driver and result side by side")
    parser.add_argument("--sheet", type=Path, metavar="FILE", help="also a contact sheet, as a PNG picture")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also the statistics, as JSON")
    morph_command.add_second(parser)
    _add_look(parser)


def _add_look(parser: argparse.ArgumentParser, *, files: bool = True) -> None:
    """Options that decide motion and appearance, offline and live; `files`: see `add_credentials`."""
    parser.add_argument("--model", default=ReenactSettings().model, metavar="NAME", help="see `mien models`")
    parser.add_argument("--backend", choices=BACKENDS, default="auto", help="what runs the model")
    parser.add_argument("--landmarks", choices=LANDMARKS, default="mediapipe", help="what finds the driver's face")
    parser.add_argument("--mouth", choices=MOUTHS, default="driver", help="where the inner mouth comes from")
    parser.add_argument(
        "--background", default="keep", metavar="WHAT", help="keep, blur, alpha, a colour (#rrggbb) or a picture"
    )
    parser.add_argument("--style", metavar="NAME", help="a painter's style (see docs/styles.md): NAME[:STRENGTH][+...]")
    parser.add_argument(
        "--style-picture", metavar="FILE", help="the portrait as drawn in that style, in place of the network's drawing"
    )
    parser.add_argument("--face", type=int, metavar="N", help="which face of the driver, from 0 in order of size")
    parser.add_argument("--smooth", type=float, metavar="STRENGTH", help="temporal smoothing, 0 (off) to 0.95")
    about = "lines that come with an expression, 0 (none) to 2"
    parser.add_argument("--wrinkles", type=float, default=ReenactSettings().wrinkles, metavar="STRENGTH", help=about)
    add_marks_and_running(parser, files=files)
    motion = parser.add_argument_group("motion", "gains: 0 is none, 1 as the driver does; --no-NAME is 0")
    motion.add_argument("--motion", choices=MOTION_MODES, default="relative")
    motion.add_argument(
        "--relax",
        type=float,
        default=ReenactSettings().relax,
        metavar="SHARE",
        help="how much of the portrait's own smile is taken out at rest, 0 to 1",
    )
    for name, about in _GAINS.items():
        either = motion.add_mutually_exclusive_group()
        either.add_argument(f"--{name}", type=float, default=1.0, metavar="GAIN", help=about)
        either.add_argument(f"--no-{name}", action="store_const", const=0.0, dest=name, help=argparse.SUPPRESS)


def _settings(options: argparse.Namespace) -> ReenactSettings:
    plain = ReenactSettings()
    return ReenactSettings(
        model=options.model,
        backend=options.backend,
        landmarks=options.landmarks,
        motion=MotionSettings(options.motion, Gains(**{name: getattr(options, name) for name in _GAINS})),
        mouth=options.mouth,
        background=options.background,
        relax=options.relax,
        style=options.style,
        style_picture=options.style_picture,
        **_second(options),
        wrinkles=options.wrinkles,
        smooth=plain.smooth if options.smooth is None else options.smooth,
        face=options.face,
        size=options.size,
        **marks_of(options),
        threads=options.threads,
    )


def _second(options: argparse.Namespace) -> dict[str, Any]:
    """Settings of a morph, where the command has them."""
    if getattr(options, "morph", None) is None:
        return {}
    return {"morph": _sample_or_path(options.morph), "degree": options.degree}


def _reenact(options: argparse.Namespace) -> int:
    need_room()
    from mien import api

    settings = _settings(options)
    pictures, driver = [_sample_or_path(name) for name in options.portraits], _sample_or_path(options.driver)
    need_places([options.sheet, options.json], [*pictures, driver], sink=options.output, settings=settings)
    with _Telling(options.quiet) as telling:
        statistics = api.render_file(
            pictures,
            driver,
            options.output,
            settings,
            start=options.start,
            duration=options.duration,
            compare=options.compare,
            sheet=options.sheet,
            begun=telling.begin,
            progress=telling.go_on,
        )
    telling.end(options.output, statistics)
    if options.json is not None:
        _write_json(options.json, statistics.as_json())
    return DONE


def _live(options: argparse.Namespace) -> int:
    need_room()
    read = [_sample_or_path(name) for name in (*options.portraits, *options.next, options.camera)]
    settings = _settings(options)
    need_places([options.record, options.json], read, sink=options.output, settings=settings)
    telling = _Telling(options.quiet)
    statistics = live_command.run(options, settings, _sample_or_path)
    telling.end(options.output, statistics)
    if options.json is not None:
        _write_json(options.json, statistics.as_json(), patience=ENDED if signals.is_ending() else ENDING)
    return DONE


def _serve(options: argparse.Namespace) -> int:
    need_room()
    serve_command.run(options, _settings(options))
    return DONE


def _sample_or_path(name: str) -> str:
    """The path of `sample:NAME` (`sample:driver` is the clip); other names are returned unchanged."""
    from mien import samples

    if not name:
        raise SettingError("expected the name of a picture or video, got an empty one; check the command line")
    kind, colon, rest = name.partition(":")
    if not colon or kind != "sample":
        return name
    if rest == "driver":
        return str(samples.driver())
    portraits = samples.portraits()
    if rest not in portraits:
        raise SettingError(f"{name}: expected one of {', '.join(portraits)} or driver after 'sample:', got {rest!r}")
    return str(portraits[rest])


class _Telling:
    """Progress and messages of a run on stderr; leaving it clears the progress line."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._line: ProgressLine | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._line is not None:
            self._line.clear()

    def begin(self, total: int | None, about: str) -> None:
        signals.check()
        if not self._quiet:
            if about != WARP:
                tell(sys.stderr, f"mien: model: {without_controls(about)}\n")
            self._line = ProgressLine(sys.stderr, total, MonotonicClock())

    def go_on(self, statistics: Statistics) -> None:
        signals.check()
        if self._line is not None:
            self._line(statistics)

    def end(self, output: str, statistics: Statistics) -> None:
        for warning in statistics.warnings:
            tell(sys.stderr, f"mien: warning: {without_controls(warning)}\n")
        if self._quiet:
            return
        stages = ", ".join(f"{name} {summary.p50:.1f}" for name, summary in statistics.latencies().items())
        frames = f"{statistics.frames_out} frames at {statistics.fps:.1f} fps (median ms: {stages})"
        said = frames if stages or statistics.frames_out != 1 else "done"  # a single picture has no stages
        tell(sys.stderr, f"mien: {without_controls(output)}: {said}\n")


def _filtered(run: Callable[..., Statistics]) -> Callable[[argparse.Namespace], int]:
    """The command that makes one file of another by `run`."""

    def command(options: argparse.Namespace) -> int:
        need_room()
        if getattr(options, "portrait", None) is not None:
            options.portrait = _sample_or_path(options.portrait)
        with _Telling(options.quiet) as telling:
            statistics = run(options, _sample_or_path(options.source), telling.begin, telling.go_on)
        telling.end(options.output, statistics)
        return DONE

    return command


def _avatar(options: argparse.Namespace) -> int:
    need_room()
    avatar_command.run(options, _sample_or_path, lambda line: tell(sys.stderr, f"mien: {without_controls(line)}\n"))
    return DONE


def _morph(options: argparse.Namespace) -> int:
    need_room()
    morph_command.run(options, _sample_or_path)
    if not options.quiet:
        tell(sys.stderr, f"mien: {without_controls(options.output)}: done\n")
    return DONE


def _doctor(options: argparse.Namespace) -> int:
    from mien.commands import doctor

    report = doctor.examine()
    print(json.dumps(report.as_json(), indent=2) if options.json else report.as_text())
    return REFUSED if report.problems else DONE


def _models(options: argparse.Namespace) -> int:
    for line in models_command.run(options):
        print(line)
    return DONE


def _samples(options: argparse.Namespace) -> int:
    from mien import samples

    found = {**samples.portraits(), "driver": samples.driver()}
    if options.copy is None:
        for name, path in found.items():
            print(f"sample:{name}  {path}")
        return DONE
    with outputs.as_sink_errors(str(options.copy)):
        options.copy.mkdir(parents=True, exist_ok=True)
    for path in found.values():
        copy = options.copy / path.name
        outputs.write(copy, path.read_bytes())
        print(copy)
    return DONE


def _write_json(path: Path, value: dict[str, Any], *, patience: float | None = None) -> None:
    outputs.write(path, (json.dumps(value, indent=2) + "\n").encode(), patience=patience)


class _Version(argparse.Action):
    """Prints the version; asked for only when wanted, since looking it up is slow."""

    def __init__(self, option_strings: Sequence[str], dest: str) -> None:
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, help="show the version and leave")

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        import mien

        print(f"mien {mien.__version__}")
        parser.exit()
