"""The papers beside an image: what is in it (CycloneDX), and what Raspberry Pi's Imager has to know of it."""

import hashlib
import json
import os
import re
import uuid
from datetime import UTC, datetime
from email.parser import HeaderParser
from pathlib import Path
from urllib.parse import quote

RECOGNISERS = "Apache-2.0"  # its LICENSE, in one word


def bill(tree: Path, release: Path, data: Path, version: str, epoch: str) -> dict[str, object]:
    """Return the bill of materials of a root file system, the release on it and the library, as CycloneDX 1.6."""
    components = [*debian(tree), *python(release), *models(release, data, version)]
    found = json.dumps(components, sort_keys=True).encode()
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.UUID(hashlib.sha256(found).hexdigest()[:32])}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(int(epoch), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {"type": "operating-system", "name": "shoebox-image", "version": version},
        },
        "components": components,
    }


def debian(tree: Path) -> list[dict[str, object]]:
    """Return Debian's packages, with the licences that their copyright files name."""
    found = []
    for text in (tree / "var/lib/dpkg/status").read_text(encoding="utf-8").split("\n\n"):
        package = HeaderParser().parsestr(text)
        if "installed" not in (package["Status"] or "").split():
            continue
        name, version, architecture = package["Package"], package["Version"], package["Architecture"]
        found.append(
            {
                "type": "library",
                "name": name,
                "version": version,
                "purl": f"pkg:deb/debian/{name}@{quote(version, safe='')}?arch={architecture}&distro=debian-13",
                "licenses": licences(copyright_names(tree / "usr/share/doc" / name / "copyright")),
            }
        )
    return sorted(found, key=lambda one: one["name"])


def copyright_names(file: Path) -> list[str]:
    """Return the short names of licences in a Debian copyright file; where it is prose, where to read it."""
    text = file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""
    named = sorted({line.strip() for line in re.findall(r"^License:[ \t]*(\S.*)$", text, re.MULTILINE)})
    return named or [f"see /usr/share/doc/{file.parent.name}/copyright"]


def python(release: Path) -> list[dict[str, object]]:
    """Return the Python packages of a release, with the licences that they state."""
    found = []
    for file in release.glob("lib/python*/site-packages/*.dist-info/METADATA"):
        package = HeaderParser().parsestr(file.read_text(encoding="utf-8"))
        name = re.sub(r"[-_.]+", "-", package["Name"]).lower()
        stated = package["License-Expression"] or ""
        if not stated:
            classes = [one for one in package.get_all("Classifier", []) if one.startswith("License :: ")]
            stated = " AND ".join(sorted(one.rsplit(" :: ", 1)[1] for one in classes))
        if not stated:
            stated = (package["License"] or "").strip().partition("\n")[0]
        texts = [f"see {one}" for one in package.get_all("License-File", [])]
        found.append(
            {
                "type": "library",
                "name": name,
                "version": package["Version"],
                "purl": f"pkg:pypi/{name}@{package['Version']}",
                "licenses": licences([stated] if stated else texts),
            }
        )
    return sorted(found, key=lambda one: one["name"])


def models(release: Path, data: Path, version: str) -> list[dict[str, object]]:
    """Return the models: the release's sample and recogniser, which have its version, and those in the library."""
    (shipped,) = release.glob("lib/python*/site-packages/appliance/models")
    found = []
    for manifest in (shipped / "sample/int8/manifest.json", *sorted(data.glob("models/*/manifest.json"))):
        about = json.loads(manifest.read_text(encoding="utf-8"))
        source = about["source"]
        made = model(about["id"], source["revision"] or version, about["licence"], manifest.parent)
        if source["repository"]:
            made["purl"] = f"pkg:huggingface/{source['repository']}@{source['revision']}"
        found.append(made)
    recogniser = shipped / "recogniser"
    name = json.loads((recogniser / "labels.json").read_text(encoding="utf-8"))["model"]
    found.append(model(f"recogniser-{name}", version, RECOGNISERS, recogniser))
    return found


def model(name: str, version: str, licence: str, folder: Path) -> dict[str, object]:
    """Return a model with the hash of each of its files."""
    return {
        "type": "machine-learning-model",
        "name": name,
        "version": version,
        "licenses": licences([licence] if licence else []),
        "components": [
            {"type": "file", "name": file.name, "hashes": [{"alg": "SHA-256", "content": digest(file)}]}
            for file in sorted(folder.iterdir())
            if file.is_file()
        ],
    }


def licences(names: list[str]) -> list[dict[str, object]]:
    """Return licences in the words of their package: not all of them are names that SPDX knows."""
    return [{"license": {"name": name}} for name in names]


def os_list(image: Path, packed: Path, version: str, epoch: str) -> dict[str, object]:
    """Return what Imager reads; IMAGE_URL says where the packed image will lie, by default where it lies now."""
    place = os.environ.get("IMAGE_URL") or packed.parent.resolve().as_uri()
    return {
        "os_list": [
            {
                "name": f"Shoebox {version}",
                "description": "Describes your family's photos and videos, at home",
                "icon": f"{place}/shoebox.png",
                "url": f"{place}/{packed.name}",
                "extract_size": image.stat().st_size,
                "extract_sha256": digest(image),
                "image_download_size": packed.stat().st_size,
                "image_download_sha256": digest(packed),
                "release_date": datetime.fromtimestamp(int(epoch), UTC).strftime("%Y-%m-%d"),
                "devices": ["pi5-64bit", "pi4-64bit"],
                "init_format": "cloudinit",
            }
        ]
    }


def digest(file: Path) -> str:
    """Return the SHA-256 of a file."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
