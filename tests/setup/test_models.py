"""What describes, chosen on an installed box: a model from a stick that only root can read, other packages."""

from collections.abc import Callable
from pathlib import Path

from debian_machine import DebianMachine


def test_a_model_in_a_folder_is_installed(
    machine: Callable[..., DebianMachine], installed: DebianMachine, stick: Path
) -> None:
    model = stick / "blip-image-captioning-base"
    with machine(after=installed) as one:
        model.chmod(0o700)
        said = one.run(
            "cd /media/usb/checkout && "
            "./systemd/setup.sh --yes --wheels /media/usb/wheels --model-from /media/usb/blip-image-captioning-base",
            timeout=300,
        ).output
        assert "ok The model is installed." in said
        assert one.run("ls -A /opt/shoebox").output.split() == ["choices", "current", "releases"]
        assert "own-blip-image-captioning-base" in one.run("shoebox models list --json").output
        # By hand the box's own user reads the stick, and finds that it has this one.
        model.chmod(0o755)
        one.run("shoebox models install --from /media/usb/blip-image-captioning-base")


def test_the_packages_for_other_hardware_take_the_place_of_these(
    machine: Callable[..., DebianMachine], installed: DebianMachine
) -> None:
    """OpenVINO's, which describe on any processor; and back again."""
    with machine(after=installed) as one:
        packages = "ls -d /opt/shoebox/current/lib/python3.*/site-packages/onnxruntime*.dist-info"
        former = one.run("readlink /opt/shoebox/current").output
        said = one.run("shoebox-setup --yes --provider openvino --wheels /media/usb/openvino", timeout=400).output
        assert "The scene was described by sample-int8" in said
        (name,) = one.run(packages).output.split()
        assert "/onnxruntime_openvino-" in name
        assert "provider=openvino" in one.run("cat /opt/shoebox/choices").output
        assert one.path("/etc/systemd/system/shoebox-worker.service.d/gpu.conf").is_file()
        assert one.run("shoebox-setup --yes").output.endswith("Nothing was changed.\n")
        one.run("shoebox-setup go-back", timeout=300)
        assert one.run("readlink /opt/shoebox/current").output == former
        assert "provider=cpu" in one.run("cat /opt/shoebox/choices").output
        assert not one.path("/etc/systemd/system/shoebox-worker.service.d/gpu.conf").exists()
