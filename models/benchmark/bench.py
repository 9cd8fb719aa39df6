"""Compare Shoebox's BLIP with transformers, torch's int8 and the usual ONNX route, at BLIP-base's full size.

    python models/benchmark/bench.py [--checkpoint FOLDER] [--rounds N] [--cores 1 2] [--out models/PERFORMANCE.md]

Weights are random (`--checkpoint` names another folder), pictures are noise, each caption is 20 tokens, greedy, one at
a time. All contenders are loaded at once and take turns, a caption each a round, on the same cores, so that what
disturbs the machine disturbs all; a ratio is the median of the rounds' own ratios. Beside that, through the real
captioner child: the seconds from its start to its first caption, and its peak memory. Needs torch and transformers.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import onnxruntime
import torch
import transformers

from appliance import settings
from appliance.modelstore.build import build
from appliance.records import Kind
from appliance.work.child import MALLOC, Child
from chart import bars
from usual_route import export

HERE = Path(__file__).parent
BASE = HERE.parents[1] / "tests" / "oracle" / "blip-base"
VARIANTS = ("int8", "int4", "mixed", "float")
NAMES = {
    "transformers": "transformers fp32", "torch-int8": "torch dynamic int8", "usual-onnx": "usual ONNX int8",
    **{variant: f"Shoebox {variant}" for variant in VARIANTS},
}  # fmt: skip
GOALS = {"transformers": 4.5, "torch-int8": 1.6, "usual-onnx": 1.3}
PEAK_MB, FOLDER_MB, LOAD_SECONDS = 400, 240, 2.0
BEGIN, END = "<!-- make bench: begin -->\n", "<!-- make bench: end -->\n"


def random_checkpoint(folder: Path) -> Path:
    """Write BLIP-base as the hub has it, with random weights."""
    config = transformers.BlipConfig.from_pretrained(BASE)
    config.vision_config.initializer_range = 0.02
    torch.manual_seed(0)
    transformers.BlipForConditionalGeneration(config).save_pretrained(folder)
    for name in ("config.json", "preprocessor_config.json", "tokenizer.json", "vocab.txt"):
        shutil.copy(BASE / name, folder)
    return folder


class Contender:
    """A loaded contender that waits for its turn."""

    def __init__(self, name: str, kind: str, folder: Path, cores: list[int]) -> None:
        self.name = name
        command = [sys.executable, str(HERE / "contenders.py"), kind, str(folder), str(len(cores))]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, **MALLOC} if kind == "shoebox" else None,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )  # fmt: skip
        self.seconds: list[float] = []
        self.peak_mb = 0.0
        self._turn()  # the first caption also warms up

    def turn(self) -> None:
        self.seconds.append(self._turn())

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait()

    def _turn(self) -> float:
        print(file=self._process.stdin, flush=True)
        answer = json.loads(self._process.stdout.readline())
        self.peak_mb = answer["peak_mb"]
        return answer["seconds"]


def through_the_child(model: Path, variant: str, cores: list[int]) -> tuple[float, float, float]:
    """Return the child's seconds from its start to the first caption and for a later one, and its peak memory in MB."""
    with TemporaryDirectory() as data:
        models = Path(data) / "models"
        models.mkdir()
        (models / variant).symlink_to(model)
        (models / "in-use").write_text(f"{variant}\n", encoding="utf-8")
        chosen = replace(settings.load({}, Path("/nowhere"), {"data": data}), threads=len(cores), beams=1)
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, cores)
        picture = next((HERE.parent / "pictures").glob("*.jpg"))
        try:
            with Child(chosen) as child:
                started = time.perf_counter()
                child.describe(picture, Kind.PHOTO, None)
                first = time.perf_counter() - started
                later = [child.describe(picture, Kind.PHOTO, None).seconds for _ in range(4)]
                status = Path(f"/proc/{child.pid}/status").read_text(encoding="ascii")
        finally:
            os.sched_setaffinity(0, before)
    return first, median(later), int(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e6


def compare(checkpoint: Path, usual: Path, built: dict[str, Path], cores: list[int], rounds: int) -> list[Contender]:
    contenders = [Contender(kind, kind, checkpoint, cores) for kind in ("transformers", "torch-int8")]
    contenders.append(Contender("usual-onnx", "usual-onnx", usual, cores))
    contenders += [Contender(variant, "shoebox", built[variant], cores) for variant in built]
    for done in range(rounds):
        for contender in contenders:
            contender.turn()
        print(f"{len(cores)} cores: round {done + 1} of {rounds}", file=sys.stderr)
    for contender in contenders:
        contender.close()
    return contenders


def ratio(slow: Contender, quick: Contender) -> float:
    return median(one / other for one, other in zip(slow.seconds, quick.seconds, strict=True))


def table(contenders: list[Contender]) -> str:
    by_name = {contender.name: contender for contender in contenders}
    lines = [
        "| | seconds a picture | range | " + " | ".join(f"times {NAMES[name]}" for name in GOALS) + " | peak MB |",
        "|---|--:|--:|" + "--:|" * (len(GOALS) + 1),
    ]
    for one in contenders:
        times = " | ".join(f"{ratio(by_name[name], one):.2f}" for name in GOALS)
        span = f"{min(one.seconds):.2f}–{max(one.seconds):.2f}"
        lines.append(f"| {NAMES[one.name]} | {median(one.seconds):.3f} | {span} | {times} | {one.peak_mb:.0f} |")
    return "\n".join(lines)


def verdicts(contenders: list[Contender], variant: str) -> list[str]:
    by_name = {contender.name: contender for contender in contenders}
    told = []
    for name, goal in GOALS.items():
        reached = ratio(by_name[name], by_name[variant])
        verdict = "reached" if reached >= goal else f"missed by {100 * (1 - reached / goal):.0f} %"
        told.append(f"| {NAMES[variant]} against {NAMES[name]} | {goal} × | {reached:.2f} × | {verdict} |")
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare Shoebox's BLIP with others at full size.")
    parser.add_argument("--checkpoint", type=Path, metavar="FOLDER", help="weights to use instead of random ones")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--cores", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--out", type=Path, default=HERE.parent / "PERFORMANCE.md")
    options = parser.parse_args()
    there = sorted(os.sched_getaffinity(0))
    with TemporaryDirectory() as folder:
        checkpoint = options.checkpoint or random_checkpoint(Path(folder) / "checkpoint")
        usual = Path(folder) / "usual"
        usual.mkdir()
        export(checkpoint, usual)
        built = {variant: Path(folder) / variant for variant in VARIANTS}
        for variant, out in built.items():
            build(checkpoint, out, id=variant, name=NAMES[variant], variant=variant)
        sizes = {name: sum(file.stat().st_size for file in out.iterdir()) / 1e6 for name, out in built.items()}
        runs = {
            count: compare(checkpoint, usual, built, there[:count], options.rounds)
            for count in options.cores
            if count <= len(there)
        }
        most = there[: max(runs)]
        children = {variant: through_the_child(out, variant, most) for variant, out in built.items()}
    machine = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    names = [line.split(":")[1].strip() for line in machine.splitlines() if line.startswith("model name")]
    text = [
        f"Measured on {datetime.now(UTC):%Y-%m-%d} by `make bench` on {names[0] if names else platform.machine()},"
        f" {options.rounds} rounds; onnxruntime {onnxruntime.__version__}, torch {torch.__version__},"
        f" transformers {transformers.__version__}.",
        "",
    ]
    for count, contenders in runs.items():
        text += [f"**{count} core{'s' if count > 1 else ''}**", "", table(contenders), ""]
        chart = HERE.parent / f"performance-{count}.svg"
        rows = [(NAMES[one.name], median(one.seconds), one.name in built) for one in contenders]
        chart.write_text(bars(f"Seconds a picture on {count} core(s)", rows, "s"), encoding="utf-8")
        text += [f"![Seconds a picture]({chart.name})", ""]
    text += ["**Through the captioner child, with all its libraries**", ""]
    text += ["| | start to first caption, s | a later caption, s | peak MB | folder MB |", "|---|--:|--:|--:|--:|"]
    for variant, (first, later, peak) in children.items():
        text.append(f"| {NAMES[variant]} | {first:.2f} | {later:.2f} | {peak:.0f} | {sizes[variant]:.0f} |")
    text += ["", "**Goals**", "", "| what | goal | reached | |", "|---|--:|--:|---|"]
    for count, contenders in runs.items():
        for variant in ("int8", "int4"):
            text += [line.replace(" against", f", {count} core(s), against") for line in verdicts(contenders, variant)]
    first, _, peak = children["int8"]
    for what, limit, value, unit in (
        ("child's peak memory", PEAK_MB, peak, "MB"),
        ("model folder", FOLDER_MB, sizes["int8"], "MB"),
        ("start to first caption", LOAD_SECONDS, first, "s"),
    ):
        verdict = "reached" if value <= limit else f"missed by {100 * (value / limit - 1):.0f} %"
        text.append(f"| Shoebox int8, {what} | {limit} {unit} | {value:.3g} {unit} | {verdict} |")
    told = "\n".join([*text, ""])
    print(told)
    page = options.out.read_text(encoding="utf-8") if options.out.exists() else f"{BEGIN}{END}"
    before, _, rest = page.partition(BEGIN)
    options.out.write_text(f"{before}{BEGIN}\n{told}\n{END}{rest.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    main()
