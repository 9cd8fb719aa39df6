"""What is chosen for each kind of machine, read from a root of our own, and the limits of services and containers."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.device import cgroup, memory
from appliance.device.profile import Profile, profile

Show = Callable[[str, str | bytes], Path]
MIB, GIB = 1 << 20, 1 << 30
A53 = "processor : 0\nFeatures : fp asimd evtstrm crc32 cpuid\nCPU part : 0xd03\n"
A72 = "processor : 0\nFeatures : fp asimd evtstrm crc32 cpuid\nCPU part : 0xd08\n"
A76 = "processor : 0\nFeatures : fp asimd evtstrm aes crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp\n"
N100 = "processor : 0\nvendor_id : GenuineIntel\nflags : fpu sse4_2 avx avx2 fma avx_vnni\n"
OLD = "processor : 0\nvendor_id : GenuineIntel\nflags : fpu sse4_2 avx avx2 fma\n"
XEON = "processor : 0\nvendor_id : GenuineIntel\nflags : fpu avx2 avx512f avx512_vnni\n"


def machine(show: Show, root: Path, *, model: str | None, cpuinfo: str, cores: int, mib: int) -> Path:
    """Show a machine; `mib` is what the kernel counts, which is less than is printed on the box."""
    if model is not None:
        show("proc/device-tree/model", f"{model}\0")
    show("proc/cpuinfo", cpuinfo)
    show("proc/meminfo", f"MemTotal: {mib * 1024} kB\nMemFree: 1 kB\nMemAvailable: 1 kB\n")
    show("proc/self/status", f"Name: shoebox\nCpus_allowed: ff\nCpus_allowed_list: 0-{cores - 1}\nMems_allowed: 1\n")
    show("proc/self/cgroup", "0::/system.slice/shoebox-worker.service\n")
    return root


PI = "Raspberry Pi "


@pytest.mark.parametrize(
    ("model", "cpuinfo", "cores", "mib", "chosen"),
    [
        (f"{PI}3 Model B Plus Rev 1.3", A53, 4, 906, (4, "int8", 1, 4)),
        (f"{PI}Zero 2 W Rev 1.0", A53, 4, 416, (4, "int8", 1, 4)),
        (f"{PI}4 Model B Rev 1.2", A72, 4, 1848, (4, "int8", 1, 8)),
        (f"{PI}4 Model B Rev 1.4", A72, 4, 3792, (4, "int8", 1, 8)),
        (f"{PI}4 Model B Rev 1.5", A72, 4, 7812, (4, "int8", 1, 8)),
        (f"{PI}400 Rev 1.0", A72, 4, 3792, (4, "int8", 1, 8)),
        (f"{PI}Compute Module 4 Rev 1.1", A72, 4, 3792, (4, "int8", 1, 8)),
        (f"{PI}5 Model B Rev 1.1", A76, 4, 2004, (4, "int8", 1, 8)),
        (f"{PI}5 Model B Rev 1.0", A76, 4, 4045, (4, "int8", 1, 8)),
        (f"{PI}5 Model B Rev 1.0", A76, 4, 8063, (4, "int8", 1, 8)),
        (f"{PI}5 Model B Rev 1.1", A76, 4, 16219, (4, "int8", 1, 8)),
        (f"{PI}500 Rev 1.0", A76, 4, 8063, (4, "int8", 1, 8)),
        (None, N100, 4, 15700, (4, "int8", 1, 8)),
        (None, OLD, 2, 3800, (2, "int8", 1, 8)),
        (None, OLD, 16, 32000, (8, "int8", 1, 8)),
        (None, XEON, 64, 257000, (8, "int8", 3, 12)),
        (None, XEON, 8, 3900, (8, "int8", 1, 8)),
    ],
)
def test_each_board(
    show: Show, tmp_path: Path, model: str | None, cpuinfo: str, cores: int, mib: int, chosen: tuple[int, str, int, int]
) -> None:
    root = machine(show, tmp_path, model=model, cpuinfo=cpuinfo, cores=cores, mib=mib)
    dot_product = cpuinfo in {A76, N100, XEON}
    assert profile(root) == Profile(model, cores, mib * MIB, dot_product, *chosen)


def test_a_machine_that_tells_nothing_describes_all_the_same(tmp_path: Path) -> None:
    found = profile(tmp_path)
    assert found == Profile(None, 1, None, False, 1, "int8", 1, 8)
    assert found.machine == "Computer, 1 core, unknown memory, no dot products"


def test_this_machine() -> None:
    found = profile()
    assert 1 <= found.threads <= found.cores
    assert found.memory is not None


def test_two_halves_of_a_core_are_one(show: Show, tmp_path: Path) -> None:
    root = machine(show, tmp_path, model=None, cpuinfo=XEON, cores=8, mib=16000)
    for one in range(8):
        show(f"sys/devices/system/cpu/cpu{one}/topology/thread_siblings_list", f"{one % 4},{one % 4 + 4}\n")
    assert (profile(root).cores, profile(root).threads) == (4, 4)
    show("proc/self/status", "Cpus_allowed_list: 0,4-5\n")
    assert profile(root).cores == 2


def test_processors_that_are_not_for_it_do_not_count(show: Show, tmp_path: Path) -> None:
    root = machine(show, tmp_path, model=None, cpuinfo=XEON, cores=64, mib=64000)
    show("proc/self/status", "Cpus_allowed_list: 3,8-9\n")
    assert profile(root).threads == 3


VERSION_2 = {"sys/fs/cgroup/cpu.max": "100000 100000\n", "sys/fs/cgroup/memory.max": f"{GIB}\n"}
VERSION_1 = {
    "proc/self/cgroup": "9:memory:/docker/abc\n3:cpuset:/docker/abc\n2:cpu,cpuacct:/docker/abc\n0::/\n",
    "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "100000\n",  # its own, at the top, whatever the path says
    "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
    "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{GIB}\n",
}
SERVICE = {
    "sys/fs/cgroup/system.slice/cpu.max": "max 100000\n",
    "sys/fs/cgroup/system.slice/shoebox-worker.service/cpu.max": "150000 100000\n",
    "sys/fs/cgroup/system.slice/memory.max": f"{4 * GIB}\n",
    "sys/fs/cgroup/system.slice/shoebox-worker.service/memory.high": f"{GIB}\n",
    "sys/fs/cgroup/system.slice/shoebox-worker.service/memory.max": "max\n",
}


@pytest.mark.parametrize("files", [VERSION_2, VERSION_1, SERVICE], ids=["version 2", "version 1", "service"])
def test_a_container_or_service_with_one_processor_and_one_gigabyte(
    show: Show, tmp_path: Path, files: dict[str, str]
) -> None:
    root = machine(show, tmp_path, model=None, cpuinfo=XEON, cores=64, mib=257000)
    for path, content in files.items():
        show(path, content)
    assert profile(root) == Profile(None, 1, GIB, True, 1, "int8", 1, 8)
    assert memory.usable(root) == GIB


@pytest.mark.parametrize(("percent", "share"), [(90, 1.0), (85, 1.0), (60, 0.6)])
def test_a_limit_that_leaves_most_of_the_machine_is_a_guard_and_no_share(
    show: Show, tmp_path: Path, percent: int, share: float
) -> None:
    root = machine(show, tmp_path, model=None, cpuinfo=XEON, cores=4, mib=8000)
    show("proc/self/cgroup", "0::/system.slice/shoebox-worker.service\n")
    show("sys/fs/cgroup/system.slice/shoebox-worker.service/memory.max", f"{(8000 << 20) * percent // 100}\n")
    assert memory.usable(root) == int((8000 << 20) * share)


@pytest.mark.parametrize(
    ("files", "processors", "room"),
    [
        ({"cpu.max": "max 100000", "memory.max": "max"}, None, None),
        ({"cpu.max": "50000 100000", "memory.max": "0"}, 0.5, None),
        ({"cpu.max": "250000 100000", "memory.max": "1000000"}, 2.5, 1000000),
        ({"cpu.max": "-1 0", "memory.max": "9223372036854771712"}, None, None),
        ({"cpu.max": "1", "memory.max": ""}, None, None),
        ({}, None, None),
    ],
)
def test_what_is_no_limit(
    show: Show, tmp_path: Path, files: dict[str, str], processors: float | None, room: int | None
) -> None:
    show("proc/self/cgroup", "0::/../box\n")
    for name, content in files.items():
        show(f"sys/fs/cgroup/box/{name}", content)
    assert (cgroup.processors(tmp_path), cgroup.memory(tmp_path)) == (processors, room)


def test_how_many_were_ended_for_want_of_memory(show: Show, tmp_path: Path) -> None:
    assert memory.kills(tmp_path) is None
    show("proc/vmstat", "nr_free_pages 1\n" * 800 + "oom_kill 3\nswap_ra 0\n")
    assert memory.kills(tmp_path) == 3


READ = (
    "proc/cpuinfo", "proc/meminfo", "proc/self/status", "proc/self/cgroup", "proc/vmstat", "sys/fs/cgroup/cpu.max",
    "sys/fs/cgroup/memory.max", "sys/devices/system/cpu/cpu0/topology/thread_siblings_list",
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100, deadline=None)
@given(
    path=st.sampled_from(READ),
    rubbish=st.binary(max_size=200)
    | st.sampled_from(
        [b"Cpus_allowed_list: 0-99999999999", b"Cpus_allowed_list: 9-1,-,x", b"0::/", b"1 0", b"oom_kill", b"9" * 5000]
    ),
)
def test_rubbish_in_any_of_the_files_is_not_fatal(show: Show, tmp_path: Path, path: str, rubbish: bytes) -> None:
    root = machine(show, tmp_path, model=f"{PI}5", cpuinfo=A76, cores=4, mib=4045)
    show("sys/fs/cgroup/memory.max", f"{GIB}")
    show(path, rubbish)
    found = profile(root)
    memory.kills(root)
    assert 1 <= found.threads <= 8
    assert found.memory is None or found.memory >= 0
