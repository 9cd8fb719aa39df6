"""The board's sensors, read from a root of our own: what they tell, and that rubbish tells nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.device import memory, power, reading
from appliance.device.board import Board, board
from appliance.device.card import Card, card
from appliance.device.power import Power
from appliance.device.temperature import temperature

Show = Callable[[str, str | bytes], Path]
ZONE = "sys/class/thermal/thermal_zone{}/{}"
CHIP = "sys/class/hwmon/hwmon{}/{}"
FIRMWARE = "sys/devices/platform/soc/soc:firmware/get_throttled"
MEMINFO = "MemTotal:        3999744 kB\nMemFree:          200000 kB\nMemAvailable:    3000000 kB\nBuffers: 1 kB\n"
STAT = "  1234  56 7890 11  2222  33 2000000 44  0 55 66\n"

# Every file that is read, and how a Raspberry Pi fills it.
FILES = {
    ZONE.format(0, "type"): "cpu-thermal\n",
    ZONE.format(0, "temp"): "52582\n",
    CHIP.format(0, "name"): "cpu_thermal\n",
    CHIP.format(0, "temp1_input"): "52000\n",
    CHIP.format(1, "name"): "rpi_volt\n",
    CHIP.format(1, "in0_lcrit_alarm"): "0\n",
    FIRMWARE: "50000\n",
    "proc/meminfo": MEMINFO,
    "proc/device-tree/model": "Raspberry Pi 5 Model B Rev 1.0\0",
    "sys/block/mmcblk0/stat": STAT,
    "sys/block/mmcblk0/device/life_time": "0x02 0x03\n",
    "sys/block/mmcblk0/device/pre_eol_info": "0x01\n",
    "run/systemd/timesync/synchronized": "",
}


def test_a_raspberry_pi(show: Show, tmp_path: Path) -> None:
    for path, content in FILES.items():
        show(path, content)
    assert board(tmp_path) == Board(
        model="Raspberry Pi 5 Model B Rev 1.0",
        temperature=52.582,
        power=Power(under_voltage=False, under_voltage_before=True, slowed=False, slowed_before=True),
        memory_total=3999744 * 1024,
        memory_available=3000000 * 1024,
        clock_synchronised=True,
        card=Card(used=30, worn_out=False, written=1_024_000_000),
    )


def test_a_machine_that_tells_nothing(tmp_path: Path) -> None:
    nothing = Board(None, None, Power(None, None, None, None), None, None, False, Card(None, None, None))
    assert board(tmp_path) == nothing


def test_this_machine() -> None:
    found = board()
    assert found.memory_total is not None
    assert found.memory_available is not None
    assert found.memory_available < found.memory_total


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(
    path=st.sampled_from(sorted(FILES)),
    rubbish=st.binary(max_size=200)
    | st.text(max_size=50).map(lambda text: text.encode(errors="replace"))
    | st.integers().map(lambda number: str(number).encode())
    | st.sampled_from([b"9" * 5000, b"1" * 5000 + b"\n", b"0x", b"-0x1", b"1e3", b"nan", b"inf", b"MemTotal:", b" \n"]),
)
def test_rubbish_in_any_of_the_files_is_not_fatal_and_never_taken_for_more_than_it_can_be(
    show: Show, tmp_path: Path, path: str, rubbish: bytes
) -> None:
    for name, content in FILES.items():
        show(name, rubbish if name == path else content)
    found = board(tmp_path)
    assert found.temperature is None or -60 <= found.temperature < 200
    assert found.card.used is None or 0 < found.card.used <= 100
    for number in (found.memory_total, found.memory_available, found.card.written):
        assert number is None or number >= 0


@pytest.mark.parametrize("kind", ["folder", "dangling"])
def test_what_is_no_file_at_all_tells_nothing(tmp_path: Path, kind: str) -> None:
    for path in FILES:
        made = tmp_path / path
        made.parent.mkdir(parents=True, exist_ok=True)
        if kind == "folder":
            made.mkdir()
        else:
            made.symlink_to("nowhere")
    found = board(tmp_path)
    assert (found.temperature, found.memory_total, found.card, found.power) == (None, None, Card(), Power())


@pytest.mark.parametrize(
    ("zones", "chips", "expected"),
    [
        ([("cpu-thermal", "61000")], [], 61.0),
        ([("acpitz", "27800"), ("x86_pkg_temp", "45000"), ("iwlwifi_1", "70000")], [], 45.0),
        ([("cpu0-thermal", "50000"), ("cpu1-thermal", "55000")], [], 55.0),
        ([("acpitz", "27800")], [("coretemp", "48000")], 48.0),
        ([], [("nvme", "60000"), ("k10temp", "44500")], 44.5),
        ([("acpitz", "27800"), ("battery", "31000")], [("nvme", "60000")], 31.0),
        ([("cpu-thermal", "-274000"), ("acpitz", "27800")], [], 27.8),
        ([("cpu-thermal", "-5000")], [], -5.0),
        ([("cpu-thermal", "")], [], None),
        ([], [], None),
    ],
)
def test_the_hottest_sensor_of_the_processor_counts(
    show: Show, tmp_path: Path, zones: list[tuple[str, str]], chips: list[tuple[str, str]], expected: float | None
) -> None:
    for number, (kind, degrees) in enumerate(zones):
        show(ZONE.format(number, "type"), f"{kind}\n")
        show(ZONE.format(number, "temp"), f"{degrees}\n")
    for number, (name, degrees) in enumerate(chips):
        show(CHIP.format(number, "name"), f"{name}\n")
        show(CHIP.format(number, "temp1_input"), f"{degrees}\n")
    assert temperature(tmp_path) == expected


@pytest.mark.parametrize(
    ("bits", "expected"),
    [
        ("0", Power(False, False, False, False)),
        ("50005", Power(True, True, True, True)),
        ("50000", Power(False, True, False, True)),
        ("80008", Power(False, False, True, True)),
        ("1", Power(True, True, False, False)),
        ("-1", Power(None, None, None, None)),
        ("zzz", Power(None, None, None, None)),
    ],
)
@pytest.mark.parametrize("how", ["file", "command"])
def test_what_the_firmware_says_of_the_power(
    show: Show, tmp_path: Path, bits: str, expected: Power, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(power, "_PATIENCE", 60)
    if how == "file":
        show(FIRMWARE, f"{bits}\n")
    else:
        command(show, f"[ $1 = get_throttled ] && echo throttled=0x{bits}" if bits[0] != "-" else "echo throttled=-0x1")
    assert power.power(tmp_path) == expected
    assert power.under_voltage(tmp_path) is expected.under_voltage


@pytest.mark.parametrize(
    "script", ["exit 1", 'echo error=1 error_msg="Command not registered"', "echo", "exec sleep 60"]
)
def test_a_command_that_fails_or_hangs_tells_nothing(
    show: Show, tmp_path: Path, script: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(power, "_PATIENCE", 0.2)
    command(show, script)
    assert power.power(tmp_path) == Power()


def test_the_drivers_alarm_goes_before_the_command_which_is_not_even_run(
    show: Show, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(power, "_PATIENCE", 60)
    show(CHIP.format(0, "name"), "rpi_volt\n")
    alarm = show(CHIP.format(0, "in0_lcrit_alarm"), "1\n")
    command(show, f"touch {tmp_path}/ran; echo throttled=0x0")
    assert power.under_voltage(tmp_path) is True
    alarm.write_text("0\n")
    assert power.under_voltage(tmp_path) is False
    assert not (tmp_path / "ran").exists()
    alarm.write_text("1\n")
    assert power.power(tmp_path) == Power(True, True, False, False)
    assert (tmp_path / "ran").exists()


def command(show: Show, script: str) -> None:
    show("usr/bin/vcgencmd", f"#!/bin/sh\n{script}\n").chmod(0o755)


@pytest.mark.parametrize(
    ("life", "spare", "expected"),
    [
        ("0x01 0x01", "0x01", Card(10, False)),
        ("0x02 0x0a", "0x01", Card(100, False)),
        ("0x0b 0x01", "0x01", Card(100, True)),
        ("0x01 0x01", "0x02", Card(10, True)),
        ("0x00 0x00", "0x00", Card(None, None)),
        ("", "0x03", Card(None, True)),
    ],
)
def test_the_cards_wear(show: Show, tmp_path: Path, life: str, spare: str, expected: Card) -> None:
    show("sys/block/mmcblk1/device/life_time", life)
    show("sys/block/mmcblk1/device/pre_eol_info", spare)
    assert card(tmp_path) == expected


def test_the_worst_of_two_cards_counts_and_their_boot_parts_do_not(show: Show, tmp_path: Path) -> None:
    show("sys/block/mmcblk0/stat", STAT)
    show("sys/block/mmcblk0boot0/stat", STAT)
    show("sys/block/mmcblk1/stat", STAT)
    show("sys/block/sda/stat", STAT)
    show("sys/block/mmcblk1/device/life_time", "0x04 0x01")
    assert card(tmp_path) == Card(used=40, worn_out=False, written=2 * 1_024_000_000)


def test_memory_in_another_unit_is_not_believed(show: Show, tmp_path: Path) -> None:
    show("proc/meminfo", "MemTotal: 12 MB\nMemAvailable: -3 kB\n")
    assert (memory.total(tmp_path), memory.available(tmp_path)) == (None, None)


def test_an_endless_file_is_not_read_to_its_end(tmp_path: Path) -> None:
    (tmp_path / "endless").symlink_to("/dev/zero")
    assert reading.words(tmp_path / "endless") == []
