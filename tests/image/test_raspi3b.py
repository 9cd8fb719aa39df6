"""The image on a whole emulated Pi, a 3B: it starts from its card by a Pi's own device tree. Once for each release."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from emulated import WholePi
from visitor import Visitor


@pytest.mark.timeout(3600)
def test_a_whole_pi_starts_from_its_card(image: Path, tmp_path: Path, say: Callable[[str], None]) -> None:
    pi = WholePi(tmp_path / "pi", image, say)
    visitor = Visitor(pi.port)
    pi.start()
    try:
        visitor.wait_for_the_page(1800, pi.must_be_on)
        say("Pi 3B: the page answers")
        pi.monitor("stop")  # which has the emulator write down what it still holds of the card
        code = re.search(r"\b\d{8}\b", pi.read_boot_partition("shoebox-claim-code.txt"))
        pi.monitor("cont")
        assert code is not None
        assert visitor.first_visit(code[0])[0] == 200
        say("Pi 3B: claimed with the code from its card")
    finally:
        pi.pull_the_plug()
