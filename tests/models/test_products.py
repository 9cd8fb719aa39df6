"""The graphs whose instructions are counted on ARM multiply by what they were given, each as well as its bits allow."""

import numpy as np
import onnxruntime
import pytest

import products
from appliance.caption.session import options


@pytest.mark.parametrize("form", products.FORMS)
def test_a_form_multiplies_by_the_weight_it_was_given(form: str) -> None:
    chance = np.random.default_rng(3)
    x, weight = chance.normal(size=(5, 256)).astype(np.float32), chance.normal(0, 0.05, (256, 96)).astype(np.float32)
    model = products.model(*products.FORMS[form](weight), 256, 96)
    # With the appliance's options: on x86 without VNNI the usual ones overflow, and the signed form is off by 3 to 5 %.
    session = onnxruntime.InferenceSession(model.SerializeToString(), options(1), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"x": x})
    loss = np.linalg.norm(found - x @ weight) / np.linalg.norm(x @ weight)
    few = {"float": 1e-6, "fp16": 1e-3}.get(form, 0.2 if form.startswith("4") else 0.03)
    assert loss < few
