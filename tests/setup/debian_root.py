"""Build the root of a Debian machine with systemd, for tests that need a whole computer.

    python tests/setup/debian_root.py FOLDER [--suite trixie]

makes FOLDER/root-SUITE-KEY and prints it. Packages come from where this machine's own apt gets its. In the root are
systemd, Python without venv, and /srv/debs: a package archive in a folder with all that an installation may ask apt
for, so that apt works without any network. What is there already is kept while this file stays as it is. Needs root
and mmdebstrap.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

INSTALLED = (
    "systemd", "systemd-sysv", "dbus", "python3", "ca-certificates", "iproute2", "procps", "util-linux", "bsdutils",
    "curl",
)  # fmt: skip
# What systemd/setup.sh asks apt for; not installed, so that it has to.
OFFERED = ("python3-venv", "avahi-daemon", "libnss-mdns", "unattended-upgrades")
FILES = {
    "etc/fstab": "",
    "etc/hostname": "testbox\n",
    "etc/hosts": "127.0.0.1 localhost testbox\n",
    "etc/resolv.conf": "",
    # The machine is thrown away: it need not wait for its disk.
    "etc/dpkg/dpkg.cfg.d/quick": "force-unsafe-io\n",
    "etc/apt/sources.list": "deb [trusted=yes] file:/srv/debs ./\n",
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Build a Debian machine's root.")
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--suite", default="trixie")
    options = parser.parse_args()
    print(build(options.folder, options.suite))


def build(folder: Path, suite: str = "trixie") -> Path:
    """Return the root of a machine of Debian's `suite`, built where it is not there yet."""
    key = hashlib.sha256(Path(__file__).read_bytes() + suite.encode()).hexdigest()[:12]
    root = folder.resolve() / f"root-{suite}-{key}"
    if root.is_dir():
        return root
    if os.geteuid() != 0 or shutil.which("mmdebstrap") is None:
        sys.exit("A test machine is built by root. Become root, and: apt-get install mmdebstrap")
    unfinished = root.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    bootstrap(unfinished, suite)
    finish(unfinished)
    unfinished.rename(root)
    return root


def bootstrap(root: Path, suite: str) -> None:
    """Install Debian into `root`, and download what is offered into its /srv/debs."""
    offer = 'apt="chroot $1 apt-get -qq"; $apt clean; $apt install --yes --download-only --no-install-recommends '
    keep = 'mkdir -p "$1/srv/debs" && mv "$1"/var/cache/apt/archives/*.deb "$1/srv/debs/"'
    command = [
        "mmdebstrap",
        "--quiet",
        "--mode=root",
        "--variant=minbase",
        "--architectures=amd64",
        "--format=directory",
    ]
    command += ['--aptopt=Acquire::Languages "none"', f"--include={','.join(INSTALLED)}"]
    command += [f"--customize-hook={offer} {' '.join(OFFERED)}", f"--customize-hook={keep}"]
    subprocess.run([*command, suite, str(root), *sources(suite)], check=True)


def sources(suite: str) -> list[str]:
    """Return apt's lines for `suite`, from the places that this machine's apt has its own suite from."""
    listing = ["apt-get", "indextargets", "--format", "$(ORIGIN)|$(REPO_URI)|$(CODENAME)|$(COMPONENT)"]
    told = subprocess.run([*listing, "Created-By: Packages"], capture_output=True, text=True, check=True).stdout
    lines = set()
    for line in told.splitlines():
        origin, place, codename, component = line.split("|")
        _, _, pocket = codename.partition("-")
        if origin == "Debian" and component == "main" and pocket in {"", "security", "updates"}:
            lines.add(f"deb {place} {suite}{'-' if pocket else ''}{pocket} main")
    if not lines:
        sys.exit("apt on this machine names no mirror of Debian. Run apt-get update, or name one in its sources.")
    return sorted(lines)


def finish(root: Path) -> None:
    """Write the machine's own files, and index /srv/debs."""
    for name, text in FILES.items():
        path = root / name
        path.unlink(missing_ok=True)
        path.write_text(text, encoding="utf-8")
    for former in (root / "etc/apt/sources.list.d").glob("*"):
        former.unlink()
    index(root / "srv/debs")
    (root / "etc/machine-id").write_text("")
    subprocess.run(["chroot", root, "apt-get", "-qq", "update"], check=True)
    for unused in ("usr/share/doc", "usr/share/man", "usr/share/locale"):
        shutil.rmtree(root / unused, ignore_errors=True)


def index(debs: Path) -> None:
    """Write the list `Packages` of the packages in a folder, as apt reads it."""
    entries = []
    for package in sorted(debs.glob("*.deb")):
        control = subprocess.run(["dpkg-deb", "--field", package], capture_output=True, text=True, check=True).stdout
        content = package.read_bytes()
        facts = f"Filename: ./{package.name}\nSize: {len(content)}\nSHA256: {hashlib.sha256(content).hexdigest()}\n"
        entries.append(control.rstrip("\n") + "\n" + facts)
    (debs / "Packages").write_text("\n".join(entries), encoding="utf-8")


if __name__ == "__main__":
    os.umask(0o022)
    main()
