"""The ladder: every case that the module's docstring tells of, and that it always ends."""

from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from appliance.work.ladder import Standing, Verdict, described, ran_out

BASE = (None, None, None, "sample", "sample")  # three ways for the model in use, two for the sample
PROVEN = Standing(proven=True)


def die(standing: Standing, item: int, models=BASE, *, loading: bool = False) -> tuple[Standing, Verdict]:
    return ran_out(standing, item, models, at=standing.rung, loading=loading)


def test_a_model_that_does_not_load_is_stepped_down_at_once_and_for_good():
    standing = Standing()
    for rung in (1, 2, 3, 4):
        standing, verdict = die(standing, 7, loading=True)
        assert (standing, verdict) == (Standing(rung, rung), Verdict.AGAIN)
    assert die(standing, 7, loading=True) == (standing, Verdict.FAILED)


def test_a_single_picture_never_steps_a_proven_box_down():
    standing = PROVEN
    for _ in range(3):
        standing, verdict = die(standing, 7)
        assert (standing.rung, verdict) == (0, Verdict.FAILED)
    assert described(standing, 8, at=0) == standing  # of others it may be said, of this one not
    assert described(standing, 7, at=0) == PROVEN


def test_two_pictures_step_it_down_and_what_helps_is_kept():
    standing, _ = die(PROVEN, 7)
    standing, verdict = die(standing, 8)
    assert (standing, verdict) == (Standing(1, 0, (7, 8), True), Verdict.AGAIN)
    assert described(standing, 9, at=1) == standing  # would have been described above, too
    assert described(standing, 8, at=1) == Standing(1, 1, (), True)


def test_a_picture_that_no_rung_helps_fails_for_good_and_the_box_goes_back_up():
    standing, _ = die(PROVEN, 7)
    for rung in (1, 2):
        standing, verdict = die(standing, 8)
        assert (standing.rung, verdict) == (rung, Verdict.AGAIN)
    standing, verdict = die(standing, 8)  # the model has described others: it is not given up for this one
    assert (standing, verdict) == (Standing(0, 0, (7,), True), Verdict.HOPELESS)


def test_where_nothing_was_described_yet_one_picture_goes_through_the_models_ways_and_two_through_the_models():
    standing = Standing()
    for rung in (1, 2):
        standing, verdict = die(standing, 7)
        assert (standing.rung, verdict) == (rung, Verdict.AGAIN)
    standing, verdict = die(standing, 7)
    assert (standing, verdict) == (Standing(0, 0, (7,)), Verdict.FAILED)
    for rung in (1, 2, 3):
        standing, verdict = die(standing, 8)
        assert (standing.rung, verdict) == (rung, Verdict.AGAIN)
    assert described(standing, 8, at=3) == Standing(3, 3, (), True)


def test_a_rung_that_loads_and_describes_nothing_is_left_as_well():
    standing, _ = die(Standing(), 7, loading=True)
    standing, verdict = die(standing, 7)
    assert (standing, verdict) == (Standing(2, 1, (7,)), Verdict.AGAIN)
    assert described(standing, 7, at=2) == Standing(2, 2, (), True)


def test_a_model_that_described_others_meanwhile_is_not_given_up():
    standing, _ = die(Standing(), 7)
    standing = described(standing, 9, at=1)
    assert standing == Standing(1, 0, (7,), True)
    standing, _ = die(standing, 8)
    standing, verdict = die(standing, 8)
    assert (standing.rung, verdict) == (0, Verdict.HOPELESS)


def test_a_try_on_a_rung_that_another_thread_has_left_changes_nothing():
    standing = Standing(1, 1)
    assert ran_out(standing, 7, BASE, at=0, loading=True) == (standing, Verdict.AGAIN)
    assert described(standing, 7, at=0) == standing


@given(
    models=st.sampled_from([(None,), BASE, (None, None, "b", "b", "b", "sample", "sample")]),
    fits=st.lists(st.integers(0, 9), min_size=1, max_size=5),
    loads=st.integers(0, 9),
    attempts=st.integers(1, 3),
)
def test_it_always_ends_and_whatever_the_box_can_describe_is_described(models, fits, loads, attempts):
    """Item i is described from the rung `fits[i]` on, models load from the rung `loads` on."""
    standing, steps = Standing(), count()
    left = {item: attempts for item in range(len(fits))}
    done = set()
    while left:
        item = min(left, key=lambda one: (-left[one], one))  # what has failed waits for its next attempt
        rung = standing.rung
        assert next(steps) < 3 * len(fits) * (len(models) + 1) * attempts, "for ever"
        if rung >= loads and rung >= fits[item]:
            standing = described(standing, item, at=rung)
            done.add(item)
            del left[item]
            continue
        standing, verdict = ran_out(standing, item, models, at=rung, loading=rung < loads)
        if verdict is Verdict.HOPELESS:
            del left[item]
        elif verdict is Verdict.FAILED:
            left[item] -= 1
            if not left[item]:
                del left[item]
        assert 0 <= standing.safe <= standing.rung < len(models)
    if loads < len(models) and all(fit <= loads for fit in fits):
        assert done == set(range(len(fits)))  # no picture is lost where the models' loading alone is the trouble
