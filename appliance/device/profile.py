"""How describing suits the machine: chosen by rule from what it is, not measured on it.

The rules come from measurements on one x86-64 core and from instruction counts of emulated ARM cores:

- A product of 8-bit numbers takes a third of the instructions of a 32-bit one where the processor has dot products
  (Pi 5, VNNI), and five sixths without (Pi 4). Everywhere its weights are a quarter of the bytes, which rule how long
  a word takes. So int8 is right on every processor.
- The picture is looked at in time that shrinks with each core; words do not come faster with more of them, as they
  wait for memory. So every core describes, up to MOST_THREADS. The page stays quick beside it, as the process that
  describes stands back (`work.process`), and a warm box takes breaks (`work.rest`): nothing is won by a core left idle.
- Two threads on the two halves of one core share its arithmetic: one thread a core.
- Another sentence weighed costs as many words again, another moment of a video a whole description.
"""

from dataclasses import dataclass
from pathlib import Path

from appliance.device import cgroup, memory
from appliance.device.reading import integer, words
from appliance.sentences import counted, say

MOST_THREADS = 8
_DOT_PRODUCTS = {"asimddp", "avx512_vnni", "avx_vnni"}  # ARM; x86
_CPUINFO = 1 << 14  # bytes; what the first processor says of itself is in them
# Cores that do one thing after the other (Cortex-A53), about four times slower than a Pi 4's.
_SLOW = ("Raspberry Pi 3", "Raspberry Pi Zero 2", "Raspberry Pi Compute Module 3")
_LARGE_CORES, _LARGE_MEMORY = 8, 7 << 30  # bytes; "8 GB" less what the firmware keeps


@dataclass(frozen=True, slots=True)
class Profile:
    """A machine, and what was chosen for it.

    `model` is a board's name, `cores` how many may be used, `memory` how many bytes; None is what it does not tell.
    `dot_product` is whether it has instructions for 8-bit arithmetic. `beams` and `frames` are the sentences weighed
    against each other and the most moments of a video.
    """

    model: str | None
    cores: int
    memory: int | None
    dot_product: bool
    threads: int
    variant: str
    beams: int
    frames: int

    @property
    def machine(self) -> str:
        """What the machine is, in words: `Raspberry Pi 4 Model B Rev 1.4, 4 cores, 4.1 GB, no dot products`."""
        unknown = self.memory is None
        return say(
            "{model}, {cores}, {room}, {products}",
            model=self.model or say("Computer"),
            cores=counted("{count} core", "{count} cores", self.cores),
            room=say("unknown memory") if unknown else say("{memory:.1f} GB", memory=(self.memory or 0) / 1e9),
            products=say("dot products") if self.dot_product else say("no dot products"),
        )


def profile(root: Path = Path("/")) -> Profile:
    """Return the profile of this machine; `root` stands for `/` in tests. Reads a dozen small files."""
    model = " ".join(words(root / "proc/device-tree/model")) or None
    cores, room = _cores(root), memory.usable(root)
    dot_product = bool(_DOT_PRODUCTS & set(words(root / "proc/cpuinfo", _CPUINFO)))
    slow = model is not None and model.startswith(_SLOW)
    large = dot_product and cores >= _LARGE_CORES and room is not None and room >= _LARGE_MEMORY
    return Profile(
        model,
        cores,
        room,
        dot_product,
        threads=min(cores, MOST_THREADS),
        variant="int8",
        beams=3 if large else 1,  # as the model's authors do, where nobody has to wait for it
        frames=4 if slow else 12 if large else 8,
    )


def _cores(root: Path) -> int:
    """Return how many whole cores this process may use: those it may run on, or fewer where its time is limited."""
    allowed = _allowed(root)
    # Where the kernel does not tell which processors share a core, each is one.
    siblings = {
        tuple(words(root / f"sys/devices/system/cpu/cpu{one}/topology/thread_siblings_list")) or one for one in allowed
    }
    share = cgroup.processors(root)
    return max(1, len(siblings) if share is None else min(len(siblings), int(share)))


def _allowed(root: Path) -> list[int]:
    """Return the numbers of the processors that this process may run on, none where they cannot be told."""
    status = words(root / "proc/self/status")
    if "Cpus_allowed_list:" in status[:-1]:
        return _numbers(status[status.index("Cpus_allowed_list:") + 1])
    return [one for word in words(root / "sys/devices/system/cpu/online")[:1] for one in _numbers(word)]


def _numbers(text: str) -> list[int]:
    """Return the numbers in a list such as `0-2,5`."""
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        low, high = integer(first), integer(last if dash else first)
        if low is not None and high is not None and 0 <= low <= high < 1 << 16:
            found.extend(range(low, high + 1))
    return found
