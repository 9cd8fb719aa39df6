"""Reading a body in pieces."""

import asyncio

import pytest

from appliance.pages.body import FIRST_PIECE, LEAST_BYTES, PIECE, announced_length, pieces
from appliance.pages.errors import CutOffError, RequestError, SilentSenderError


def sender(*messages):
    """A receive function that hands out these messages, then says nothing more."""
    waiting = iter(messages)

    async def receive():
        for message in waiting:
            return message
        await asyncio.Event().wait()

    return receive


def chunk(count, more=True):
    return {"type": "http.request", "body": bytes(count), "more_body": more}


def read(*messages, patience=5.0):
    async def run():
        return [len(piece) async for piece in pieces(sender(*messages), patience)]

    return asyncio.run(run())


def test_chunks_are_gathered_into_pieces():
    small = [chunk(16384)] * 200
    sizes = read(*small, chunk(7, more=False))
    assert sizes[0] == FIRST_PIECE
    assert sizes[1:-1] == [PIECE] * 3
    assert sum(sizes) == 200 * 16384 + 7


def test_an_empty_body_has_no_pieces():
    assert read(chunk(0, more=False)) == []


def test_an_empty_last_chunk_ends_the_last_piece():
    assert read(chunk(10), chunk(0, more=False)) == [10]


def test_a_sender_that_goes_away_is_told_from_one_that_is_done():
    with pytest.raises(CutOffError):
        read(chunk(10), {"type": "http.disconnect"})


def test_a_silent_sender_is_not_waited_for():
    with pytest.raises(SilentSenderError):
        read(chunk(10), patience=0.01)


@pytest.mark.parametrize(("value", "expected"), [(None, None), ("0", 0), ("12345678901", 12345678901)])
def test_announced_length(value, expected):
    assert announced_length(value) == expected


@pytest.mark.parametrize("value", ["", "-1", "1.5", "many", "١٢", "1" * 20])
def test_a_length_that_is_none_is_refused(value):
    with pytest.raises(RequestError):
        announced_length(value)


def test_a_sender_that_drips_is_not_waited_for():
    async def drip():
        await asyncio.sleep(0.005)
        return chunk(1)

    async def run():
        async for _ in pieces(drip, 0.05):  # each byte would start a mere limit on silence anew
            pass

    with pytest.raises(SilentSenderError):
        asyncio.run(asyncio.wait_for(run(), 20))


def test_a_slow_card_is_not_the_senders_fault():
    async def run():
        read = 0
        async for piece in pieces(sender(*[chunk(FIRST_PIECE)] * 20, chunk(0, more=False)), 0.05):
            await asyncio.sleep(0.1)
            read += len(piece)
        return read

    assert asyncio.run(run()) == 20 * FIRST_PIECE


def test_a_steady_sender_is_waited_for_as_long_as_it_takes():
    sent = iter([*[chunk(LEAST_BYTES)] * 12, chunk(0, more=False)])
    ahead = 0

    async def steady():
        nonlocal ahead
        ahead += 20  # seconds on the clock that patience is measured by, beside which a stall of this machine is short
        await asyncio.sleep(0)
        return next(sent)

    async def run():
        loop = asyncio.get_running_loop()
        now = loop.time
        loop.time = lambda: now() + ahead
        return sum([len(piece) async for piece in pieces(steady, 120.0)])

    assert asyncio.run(run()) == 12 * LEAST_BYTES
