"""The activity page, with the real template."""


def test_nothing_to_do(visitor):
    assert "All quiet" in visitor.get("/activity").text


def test_now_waiting_failed_and_done(shelf, client):
    shelf.done("a red circle")
    shelf.describe(shelf.done("a green star"), "a blue square")
    shelf.add(name="later.png")
    working = shelf.prepare(shelf.add(name="current.png"))
    shelf.start(working)
    shelf.fail(shelf.prepare(shelf.add(name="broken.png")))
    text = client.get("/activity").text
    now, _, rest = text.partition("Could not be described")
    failed, _, rest = rest.partition("Waiting")
    waiting, _, done = rest.partition("Described lately")
    assert "current.png" in now
    assert "broken.png" in failed
    assert "The file ends too early." in failed
    assert "later.png" in waiting
    assert done.index("a blue square") < done.index("a red circle")


def test_only_the_first_of_many_are_listed(shelf, client):
    for _ in range(53):
        shelf.add()
    assert "and 3 more" in client.get("/activity").text
