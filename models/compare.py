"""Compare our graph with transformers on pictures.

    python models/compare.py CHECKPOINT_FOLDER [--variant float|int8] [--beams N] [--prompt TEXT] PICTURE…

builds the checkpoint's ONNX model in a temporary folder, lets it and transformers caption each picture (our guard
against repetition off) and prints one JSON object: for each picture both captions, whether their tokens and pixels are
the same, and the largest difference between the scores that both give to transformers' tokens; in all the share of
equal captions and the largest difference. Exit status 1 where a float graph disagrees: other pixels, other tokens, or
scores that differ by 1e-3 or more. Needs torch and transformers.
"""

import argparse
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from PIL import Image, ImageOps
from transformers import BlipForConditionalGeneration, BlipProcessor

from appliance.caption.blip import BlipCaptioner
from appliance.caption.repetition import no_guard
from appliance.modelstore.build import build

LARGEST_DIFFERENCE = 1e-3

parser = argparse.ArgumentParser(description="Compare our graph with transformers on pictures.")
parser.add_argument("checkpoint", type=Path, metavar="CHECKPOINT_FOLDER")
parser.add_argument("pictures", type=Path, nargs="+", metavar="PICTURE")
parser.add_argument("--variant", choices=["float", "int8"], default="float")
parser.add_argument("--beams", type=int, default=1, metavar="N")
parser.add_argument("--prompt", metavar="TEXT")
arguments = parser.parse_args()

with TemporaryDirectory() as folder:
    built = Path(folder) / "compared"
    build(arguments.checkpoint, built, id="compared", name="Compared", variant=arguments.variant)
    ours = BlipCaptioner.load(built, beams=arguments.beams)
    length = json.loads((built / "manifest.json").read_text(encoding="utf-8"))["text"]["max_length"]

model = BlipForConditionalGeneration.from_pretrained(arguments.checkpoint).eval()
processor = BlipProcessor.from_pretrained(arguments.checkpoint)
prompt = dict(processor(text=arguments.prompt, return_tensors="pt")) if arguments.prompt else {}
compared = []
for path in arguments.pictures:
    with Image.open(path) as opened:
        picture = ImageOps.exif_transpose(opened).convert("RGB")
    seen = processor(images=picture, return_tensors="pt").pixel_values
    given = {name: tensor.clone() for name, tensor in prompt.items()}  # generate writes into its input_ids
    with torch.no_grad():
        expected = model.generate(pixel_values=seen, num_beams=arguments.beams, max_new_tokens=length, **given)[0]
        image = model.vision_model(seen)[0]
        scores = model.text_decoder(expected[None], encoder_hidden_states=image).logits[0].numpy()
    tokens = ours.generate(seen.numpy(), prompt=arguments.prompt, banned=no_guard)
    compared.append(
        {
            "file": str(path),
            "same": tokens == expected.tolist(),
            "same_pixels": bool(np.array_equal(ours.pixels(picture), seen.numpy())),
            "transformers": processor.decode(expected, skip_special_tokens=True),
            "shoebox": processor.decode(tokens, skip_special_tokens=True),
            "logit_difference": float(np.abs(ours.network.logits(seen.numpy(), expected.tolist()) - scores).max()),
        }
    )

largest = max(entry["logit_difference"] for entry in compared)
report = {
    "checkpoint": str(arguments.checkpoint),
    "variant": arguments.variant,
    "beams": arguments.beams,
    "prompt": arguments.prompt,
    "agreement": sum(entry["same"] for entry in compared) / len(compared),
    "largest_logit_difference": largest,
    "pictures": compared,
}
print(json.dumps(report, indent=2, ensure_ascii=False))
agree = all(entry["same"] and entry["same_pixels"] for entry in compared) and largest < LARGEST_DIFFERENCE
sys.exit(0 if agree or arguments.variant != "float" else 1)
