"""The image's Debian: trixie for arm64 with both kernels, as a tar that is kept by a hash of what it was made from.

    python image/rootfs.py FOLDER

writes FOLDER/debian-KEY.tar and says its name. Root's rights, binfmt_misc and qemu's user emulation run the packages'
scripts (7 to 15 minutes). The packages come from where this machine's own apt gets its; MIRROR and SECURITY_MIRROR
name other places. A change of this file, packages.txt, left-out.txt or root-first/ makes it again, and so does FRESH=1,
for what moved on the mirror.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
SUITE = "trixie"
COMPONENTS = "main non-free-firmware"
INPUTS = ("rootfs.py", "packages.txt", "left-out.txt", "bytecode.py", "root-first")
EPOCH = "1767225600"  # 2026-01-01: one date for every build, so that the same packages give the same bytes
# What is only there because something was installed, or differs from one installation to the next.
LEFTOVERS = (
    "etc/ssh/ssh_host_*", "etc/.pwd.lock", "etc/hostname", "etc/resolv.conf", "etc/*-", "etc/apt/sources.list",
    "boot/firmware/*", "var/cache/apt/*", "var/cache/debconf/*-old",
    "var/cache/ldconfig/*", "var/lib/apt/lists/*", "var/lib/dpkg/*-old", "var/lib/systemd/catalog/database",
    "var/lib/systemd/random-seed", "var/lib/dbus/machine-id", "var/tmp/*", "tmp/*", "run/*", "root/.[a-z]*",
)  # fmt: skip


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("Name the folder: python image/rootfs.py FOLDER")
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    print(make(folder))


def make(folder: Path) -> Path:
    """Return the tar of the root file system in `folder`, made where it is not there yet."""
    kept = folder / f"debian-{key()}.tar"
    if kept.exists() and not os.environ.get("FRESH"):
        return kept
    for tool in ("mmdebstrap", "qemu-aarch64-static"):
        if shutil.which(tool) is None:
            sys.exit(f"The image needs {tool}: apt-get install mmdebstrap qemu-user-static binfmt-support")
    if os.geteuid() != 0:
        sys.exit("Making the image's Debian needs root: sudo make image")
    emulate()
    part = folder / "debian.part.tar"
    bootstrap(part, folder)
    part.replace(kept)
    return kept


def key() -> str:
    """Return a hash of the files that say what is installed and how."""
    digest = hashlib.sha256()
    for name in INPUTS:
        entry = HERE / name
        for file in sorted(entry.rglob("*")) if entry.is_dir() else [entry]:
            if file.is_file():
                digest.update(
                    f"{file.relative_to(HERE)}\0{file.stat().st_mode & 0o777:o}\0".encode() + file.read_bytes()
                )
    return digest.hexdigest()[:16]


def emulate() -> None:
    """Let the kernel run ARM's programs by qemu."""
    registered = Path("/proc/sys/fs/binfmt_misc/qemu-aarch64")
    if not registered.parent.joinpath("register").exists():
        subprocess.run(["mount", "-t", "binfmt_misc", "binfmt_misc", registered.parent], check=True)
    if not registered.exists():
        subprocess.run(["update-binfmts", "--enable", "qemu-aarch64"], check=True)


def mirrors() -> tuple[str, str]:
    """Return the addresses of Debian and of its security updates, from the environment or this machine's apt."""
    asked = ["apt-get", "indextargets", "--format", "$(ORIGIN)|$(LABEL)|$(REPO_URI)", "Created-By: Packages"]
    found = {}
    for line in subprocess.run(asked, check=True, capture_output=True, text=True).stdout.splitlines():
        origin, label, address = line.split("|")
        if origin == "Debian":
            found.setdefault(label, address.rstrip("/"))
    main_address = os.environ.get("MIRROR") or found.get("Debian")
    security = os.environ.get("SECURITY_MIRROR") or found.get("Debian-Security")
    if not main_address or not security:
        sys.exit("This machine's apt names no Debian mirror; set MIRROR and SECURITY_MIRROR.")
    return main_address, security


def sources() -> str:
    """Return the image's /etc/apt/sources.list.d/debian.sources."""
    main_address, security = mirrors()
    keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"
    places = ((main_address, f"{SUITE} {SUITE}-updates {SUITE}-backports"), (security, f"{SUITE}-security"))
    return "\n".join(
        f"Types: deb\nURIs: {address}\nSuites: {suites}\nComponents: {COMPONENTS}\nSigned-By: {keyring}\n"
        for address, suites in places
    )


def words(name: str) -> list[str]:
    """Return the lines of one of this folder's lists, without comments."""
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def bootstrap(tar: Path, folder: Path) -> None:
    """Install the packages by mmdebstrap, then the kernel from backports, and leave out what is only of the build."""
    listed = folder / "debian.sources"
    listed.write_text(sources(), encoding="utf-8")
    hooks = folder / "hooks"
    hooks.mkdir(exist_ok=True)
    first = hooks / "first"
    first.write_text(f'#!/bin/sh\nset -e\ncp -R {HERE.resolve()}/root-first/. "$1/"\n{NO_BYTE_CODE}')
    newer = hooks / "newer"
    newer.write_text(NEWER_KERNEL)
    last = hooks / "last"
    removed = "\n".join(f"rm -rf {pattern}" for pattern in LEFTOVERS)
    last.write_text(
        f'#!/bin/sh\nset -e\ncd "$1"\n{removed}\n: > etc/machine-id\n'
        f"cp {listed.resolve()} etc/apt/sources.list.d/debian.sources\nrm -f etc/apt/sources.list.d/0*\n"
        "find var/log -type f -delete\n"
        f"{BYTE_CODE}{sys.executable} {HERE.resolve()}/bytecode.py usr/lib/python3/dist-packages {folder.resolve()}\n"
    )
    for hook in (first, newer, last):
        hook.chmod(0o755)
    command = ["mmdebstrap", "--architectures=arm64", "--variant=minbase", "--format=tar", "--mode=root"]
    command += [f"--include={','.join(words('packages.txt'))}"]
    command += ["--aptopt=APT::Install-Recommends false", '--aptopt=Acquire::Languages { "none"; }']
    command += [f"--dpkgopt={line}" for line in words("left-out.txt")]
    command += [f"--essential-hook={first}", f"--customize-hook={newer}", f"--customize-hook={last}"]
    command += ["--skip=cleanup/apt", SUITE, str(tar), str(listed)]
    print("$", " ".join(command), file=sys.stderr)
    subprocess.run(command, check=True, env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH, "LC_ALL": "C.UTF-8"})


# Emulated, Debian's packages take minutes to compile their Python; afterwards it takes seconds, without emulation.
NO_BYTE_CODE = """chroot "$1" dpkg-divert --quiet --local --rename --add /usr/bin/py3compile
printf '#!/bin/sh\\n' >"$1/usr/bin/py3compile"
chmod 755 "$1/usr/bin/py3compile"
"""
BYTE_CODE = """rm usr/bin/py3compile
chroot . dpkg-divert --quiet --local --rename --remove /usr/bin/py3compile
"""

# The backports' metapackage has the same name as trixie's and would take its place: what it stands for is asked for;
# trixie's is held meanwhile, by which Debian's security updates renew the kernel of all but the Pi 5.
NEWER_KERNEL = f"""#!/bin/sh
set -e
kernel=$(chroot "$1" apt-cache show linux-image-arm64/{SUITE}-backports 2>/dev/null |
    sed -n 's/^Depends:.*\\(linux-image-[0-9][^ ,]*\\).*/\\1/p' | head -n 1)
[ -n "$kernel" ] || kernel=$(chroot "$1" apt-cache show -a linux-image-arm64 |
    sed -n 's/^Depends:.*\\(linux-image-[0-9][^ ,]*\\).*/\\1/p' | sort -V | tail -n 1)
chroot "$1" apt-mark hold linux-image-arm64
chroot "$1" env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \\
    -t {SUITE}-backports "$kernel"
chroot "$1" apt-mark unhold linux-image-arm64
"""

if __name__ == "__main__":
    os.umask(0o022)
    main()
