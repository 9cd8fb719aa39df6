"""Count the instructions that BLIP-base's products take on a Raspberry Pi's cores, in every form onnxruntime has.

    python models/arm64/counts.py MACHINE EMULATOR [--model NAME=FOLDER]… [--encoders]

MACHINE is what tests/arm64/machine.py has built, EMULATOR what emulator.py has. Prints tables in markdown: thousands of
instructions a row for each shape, and with --model whole pictures and tokens of models in BLIP-base's size. Counts
tell nothing of waiting for memory, so the bytes of weights that a token reads stand beside them.
"""

import argparse
import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx

from products import FORMS, model, node

CORES = {"cortex-a72": "Pi 4", "cortex-a76": "Pi 5"}
ROWS = 64  # of an encoder's 577; each costs the same
SHAPES = ((768, 2304), (768, 768), (768, 3072), (3072, 768))
HEAD = (768, 30524)
# A cycle at most, from Arm's software optimisation guides: instructions of any kind decoded, then float multiply-adds,
# dot products, other whole-number multiplies and loads of 128 bits executed.
A_CYCLE = {"cortex-a72": (3, 2, 1, 1, 1), "cortex-a76": (4, 2, 2, 1, 2)}
# For a token after ten others.
SIZES = {"batch": 1, "pictures": 1, "n": 1, "past": 10}


@dataclass(frozen=True)
class Counts:
    """Instructions of all kinds, and of some."""

    every: int
    float_: int
    dot: int
    whole: int
    load: int

    def __sub__(self, other: "Counts") -> "Counts":
        return Counts(*(mine - theirs for mine, theirs in zip(self.numbers, other.numbers, strict=True)))

    def cycles(self, core: str) -> float:
        """Return the cycles that this takes at least where no instruction waits for another or for memory."""
        every, float_, dot, whole, load = (n / most for n, most in zip(self.numbers, A_CYCLE[core], strict=True))
        return max(every, float_ + dot + whole, load)

    @property
    def numbers(self) -> tuple[int, ...]:
        return self.every, self.float_, self.dot, self.whole, self.load


@dataclass
class Case:
    """A graph to run once."""

    name: str
    graph: Path
    sizes: dict[str, int]
    optimised: str = ""
    counts: dict[str, Counts] = field(default_factory=dict)


Cases = dict[tuple[str, tuple[int, int], int], Case]  # by form, shape and rows


def count(cases: list[Case], machine: Path, emulator: Path, core: str, folder: Path) -> None:
    """Run the cases on a core, and write down what each took."""
    listed = folder / "cases.json"
    about = [{"graph": str(case.graph), "sizes": case.sizes, "optimised": case.optimised} for case in cases]
    listed.write_text(json.dumps(about))
    qemu = f"{emulator / 'qemu-aarch64'} -plugin {emulator / 'counter.so'} -d plugin -D {folder / 'log'}"
    inside = Path(__file__).with_name("inside.py")
    environment = {**os.environ, "QEMU": qemu, "QEMU_CPU": core}
    subprocess.run([machine / "python" / "bin" / "python", inside, listed], env=environment, check=True)
    lines = [line.split() for line in (folder / "log").read_text().splitlines()]
    marks = [Counts(*map(int, numbers)) for kind, *numbers in lines if kind == "counted"]
    assert len(marks) == 2 * len(cases), "something else called getppid"
    for case, before, after in zip(cases, marks[0::2], marks[1::2], strict=True):
        case.counts[core] = after - before


def products(folder: Path) -> Cases:
    """Write a graph for each form and shape; return the cases by form, shape and rows."""
    cases = {}
    chance = np.random.default_rng(1)
    for shape in (*SHAPES, HEAD):
        weight = chance.normal(0, 0.04, shape).astype(np.float32)
        for form, make in FORMS.items():
            name = f"{len(cases)}"
            graph = folder / f"{name}.onnx"
            onnx.save(model(*make(weight), *shape), graph)
            for rows in (ROWS, 1) if shape != HEAD else (1,):
                optimised = str(folder / f"{name}-made.onnx") if shape == SHAPES[1] and rows == 1 else ""
                cases[form, shape, rows] = Case(form, graph, {"rows": rows}, optimised)
    return cases


def nothing(folder: Path) -> Case:
    """Return the case of a graph that does nothing: what calling onnxruntime from Python takes."""
    onnx.save(model([node("Identity", "x", "y")], [], 8, 8), folder / "nothing.onnx")
    return Case("nothing", folder / "nothing.onnx", {"rows": 1})


def bytes_of(file: Path) -> int:
    """Return the bytes of a graph's constants."""
    return sum(len(tensor.raw_data) for tensor in onnx.load(file).graph.initializer)


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description="Count what BLIP-base's products take on ARM.")
    parser.add_argument("machine", type=Path, metavar="MACHINE")
    parser.add_argument("emulator", type=Path, metavar="EMULATOR")
    parser.add_argument("--model", action="append", default=[], metavar="NAME=FOLDER")
    parser.add_argument("--encoders", action="store_true", help="count the models' encoders too, minutes each")
    arguments = parser.parse_args()
    machine, emulator = arguments.machine.resolve(), arguments.emulator.resolve()
    with TemporaryDirectory() as name:
        folder = Path(name)
        empty, cases = nothing(folder), products(folder)
        for core in CORES:
            count([empty, *cases.values()], machine, emulator, core, folder)
            for case in cases.values():
                case.counts[core] -= empty.counts[core]
        print(by_form(cases))
        print(by_shape(cases))
        print(fused(cases))
    models = dict(given.split("=", 1) for given in arguments.model)
    if models:
        print(by_model(models, arguments.encoders, machine, emulator))


def by_form(cases: Cases) -> str:
    """A table of millions of instructions a row and multiply-adds a cycle over a layer's products, and of bytes."""
    rows = []
    weights = sum(a * b for a, b in SHAPES)
    for form in FORMS:
        row = [form]
        for core in CORES:
            for many in (ROWS, 1):
                found = [cases[form, shape, many].counts[core] for shape in SHAPES]
                row.append(f"{sum(one.every for one in found) / many / 1e6:.2f}")
                row.append(f"{weights * many / sum(one.cycles(core) for one in found):.1f}")
        kept = sum(bytes_of(cases[form, shape, 1].graph) for shape in SHAPES)
        rows.append([*row, f"{kept / weights:.2f}"])
    head = [f"{weights / 1e6:.2f} M weights"]
    for board in CORES.values():
        for many in (f"{ROWS} rows", "1 row"):
            head += [f"{board}, {many}: M instructions a row", "multiply-adds a cycle at most"]
    return table([*head, "bytes a weight"], rows)


def by_shape(cases: Cases) -> str:
    """A table of thousands of instructions a row for each shape, core by core."""
    rows = []
    for form in FORMS:
        for core, board in CORES.items():
            row = [f"{form}, {board}"]
            for shape in SHAPES:
                row += [f"{cases[form, shape, many].counts[core].every / many / 1e3:.0f}" for many in (ROWS, 1)]
            rows.append([*row, f"{cases[form, HEAD, 1].counts[core].every / 1e3:.0f}"])
    head = ["thousands of instructions a row"]
    for a, b in SHAPES:
        head += [f"{a}→{b}, {ROWS} rows", "1 row"]
    return table([*head, f"{HEAD[0]}→{HEAD[1]}, 1 row"], rows)


def fused(cases: Cases) -> str:
    """What onnxruntime makes of each form."""
    rows = []
    for form in FORMS:
        made = onnx.load(cases[form, SHAPES[1], 1].optimised)
        rows.append([form, ", ".join(one.op_type for one in made.graph.node)])
    return table(["form", "nodes on aarch64"], rows)


def by_model(models: dict[str, str], encoders: bool, machine: Path, emulator: Path) -> str:
    """A table of whole models: a token after ten others, one of each of 3 beams, a prompt's five, a picture."""
    wanted = [
        ("a token", "decoder", SIZES),
        ("a token of 3 beams", "decoder", {**SIZES, "batch": 3, "pictures": 3}),
        ("5 tokens at once", "decoder", {**SIZES, "n": 5, "past": 0}),
        *([("a picture", "encoder", SIZES)] if encoders else []),
    ]
    cases = [
        Case(f"{name}, {what}", Path(place).resolve() / f"{part}.onnx", sizes)
        for name, place in models.items()
        for what, part, sizes in wanted
    ]
    for core in CORES:
        with TemporaryDirectory() as folder:
            count(cases, machine, emulator, core, Path(folder))
    rows = []
    for case in cases:
        found = [(case.counts[core].every, case.counts[core].cycles(core)) for core in CORES]
        rows.append([case.name, *(f"{number / 1e6:.1f}" for pair in found for number in pair)])
    kinds = ("M instructions", "M cycles at least")
    return table(["model", *(f"{board}: {kind}" for board in CORES.values() for kind in kinds)], rows)


if __name__ == "__main__":
    main()
