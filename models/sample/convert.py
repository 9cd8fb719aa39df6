"""Turn the trained sample checkpoint into the model that ships.

    python models/sample/convert.py [--checkpoint FOLDER] [--out FOLDER] [--variant int8]

reads models/sample/checkpoint (what train.py wrote) and writes models/sample/int8 in place of the one that is there:
encoder.onnx, decoder.onnx, tokenizer.json, manifest.json. The same checkpoint and the same versions of Shoebox, onnx
and onnxruntime give the same bytes; the time is written down only where SOURCE_DATE_EPOCH tells it. Needs no torch.
"""

import argparse
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

from appliance.modelstore.build import build
from draw import REFUSAL

HERE = Path(__file__).resolve().parent
NOTICE = "This sample model only knows drawn shapes. For real photos install BLIP (1 GB to download, once)."


def main() -> None:
    parser = argparse.ArgumentParser(description="Turn the trained sample checkpoint into the model that ships.")
    parser.add_argument("--checkpoint", type=Path, default=HERE / "checkpoint", metavar="FOLDER")
    parser.add_argument("--out", type=Path, default=HERE / "int8", metavar="FOLDER")
    parser.add_argument("--variant", choices=["int8", "float"], default="int8")
    arguments = parser.parse_args()
    new = arguments.out.with_name(f".{arguments.out.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    model = build(
        arguments.checkpoint,
        new,
        id=f"sample-{arguments.variant}",
        name="Shoebox sample",
        variant=arguments.variant,
        sample=True,
        notice=NOTICE,
        refusal=REFUSAL,
        licence="as Shoebox itself",
        made_at=datetime.fromtimestamp(int(epoch), UTC).isoformat() if epoch else None,
    )
    shutil.rmtree(arguments.out, ignore_errors=True)
    new.rename(arguments.out)
    print(f"{arguments.out}: {model.id}, {model.bytes / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
