"""Training in the lab: frames, how runs end, pauses that leave no trace, and jobs that end with the page."""

from __future__ import annotations

import asyncio
import itertools
import json
import math
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import msgspec
import numpy as np
import pytest

import chainrule as cr
from chainrule import InputError
from chainrule.engines.state import Best
from chainrule.lab import jobs, watching
from chainrule.lab.answers import encode
from chainrule.lab.endpoints import Busy
from chainrule.lab.jobs import Job
from chainrule.lab.scene import Scene
from chainrule.lab.server import running
from chainrule.lab.training import Lesson, Trained
from tests.helpers.serving import page

LAYERS = [{"units": 4, "bias": True}, {"units": 2, "bias": True}, {"units": 1, "bias": True}]
SCENE = {"inputs": 2, "layers": LAYERS, "x": [0, 0], "y": [1]}
DATA = {"name": "circles", "rows": 100}


def body(scene: dict[str, Any] = SCENE, data: dict[str, Any] = DATA, **asked: Any) -> Trained:
    quick = {"epochs_a_frame": None, **asked}
    return msgspec.convert({"scene": scene, "data": data, "training": quick}, Trained)


def frames(*given: dict[str, Any], **asked: Any) -> list[Any]:
    """Return all frames as the page gets them, were it quick enough."""
    found = watching.frames(Lesson.of(body(*given, **asked)))
    return [msgspec.json.decode(encode(frame)) for frame in found]


def gone_on(frame: Any) -> dict[str, Any]:
    """Return the scene as the page keeps it from a frame."""
    return {**SCENE, "weights": frame["weights"], "biases": frame["biases"]}


def goes_on(frame: Any) -> dict[str, Any]:
    """Return what else the page sends from a frame, to go on from there."""
    return {"start_epoch": frame["epoch"], "memory": frame["memory"], "best": frame["best"]}


def of_the_library(lesson: Lesson, **settings: Any) -> cr.Run:
    """Return the run that the library makes of what the lab is to train."""
    net = msgspec.convert(SCENE, Scene).network()
    settings |= {"batch_size": 10, "dtype": "float32", "initial": net.initial(0), "validation": lesson.held_out}
    return cr.train(net, lesson.x, lesson.y, **settings)


def test_a_run_is_told_from_before_its_first_step_to_its_end() -> None:
    first, *_, last = frames(epochs=300, learning_rate=0.1)
    assert (first["epoch"], first["step"], first["rows"], first["ended"]) == (0, 0, 0, None)
    assert (last["epoch"], last["step"], last["rows"]) == (300, 300 * 8, 300 * 75)
    assert last["ended"] == "all epochs done"
    assert last["loss"] < first["loss"] / 2
    assert last["score"]["value"] > 0.8
    assert last["error"] is None


def test_one_step_is_one_frame_and_no_step_shows_the_network_as_it_is() -> None:
    (step,) = frames(epochs=2, pause_after=1, epochs_a_frame=1)
    assert (step["epoch"], step["ended"]) == (1, None)
    (last,) = frames(gone_on(step), **goes_on(step), epochs=1, pause_after=1, epochs_a_frame=1)
    assert (last["epoch"], last["ended"]) == (2, "all epochs done")
    (look,) = frames(pause_after=0, epochs_a_frame=1)
    assert (look["epoch"], look["step"], look["ended"]) == (0, 0, None)
    assert look["loss"] > step["loss"]
    assert look["fit"]["kind"] == "boundary"


def test_a_slow_run_has_a_frame_for_each_epoch_and_twenty_a_second() -> None:
    began = time.monotonic()
    told = frames(epochs=6, epochs_a_frame=1)
    assert [frame["epoch"] for frame in told] == [0, 1, 2, 3, 4, 5, 6]
    assert time.monotonic() - began >= 0.3


def test_a_frame_is_never_long_in_coming_however_many_epochs_are_wanted() -> None:
    told = watching.frames(Lesson.of(body(epochs=1_000_000, epochs_a_frame=1_000_000)))
    next(told)
    began = time.monotonic()
    for _ in range(4):
        next(told)
    assert time.monotonic() - began < 2.0
    told.close()


def test_its_numbers_are_those_of_a_run_of_the_library() -> None:
    told = frames(epochs=40, epochs_a_frame=8)
    run = of_the_library(Lesson.of(body()), optimizer=cr.SGD(0.03), epochs=40)
    assert np.array_equal(np.float32(told[-1]["weights"][0]), run.parameters.weights[0])
    curve = [point for frame in told for point in frame["curve"]][1:]
    for epoch, loss, held_out in curve:
        assert loss == run.history["loss"][epoch - 1]
        assert held_out == run.history["validation_loss"][epoch - 1]


def test_the_loss_before_the_first_step_is_that_of_all_rows() -> None:
    many = {**DATA, "name": "gaussians", "rows": 1000, "noise": 0.3}
    first, *_, last = frames(SCENE, many, epochs=1, epochs_a_frame=None, learning_rate=1e-9)
    assert first["loss"] == pytest.approx(last["loss"], rel=1e-5)


def test_at_full_speed_the_held_out_loss_is_told_once_in_a_frame_and_is_the_same() -> None:
    slow = {epoch: held_out for frame in frames(epochs=60, epochs_a_frame=20) for epoch, _, held_out in frame["curve"]}
    for frame in frames(epochs=60):
        *_, (epoch, loss, held_out) = frame["curve"]
        assert (frame["epoch"], frame["loss"], frame["held_out_loss"]) == (epoch, loss, held_out)
        assert held_out == pytest.approx(slow[epoch], rel=1e-5)


def test_the_same_seed_gives_the_same_numbers_however_the_run_is_divided() -> None:
    ends = [frames(epochs=200, epochs_a_frame=pace, optimizer="adam")[-1] for pace in (None, 200)]
    assert ends[0]["weights"] == ends[1]["weights"]
    assert ends[0]["loss"] == ends[1]["loss"]


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rprop"])
def test_a_run_that_was_paused_is_as_one_that_was_not(optimizer: str) -> None:
    whole = frames(epochs=30, optimizer=optimizer)[-1]
    part = frames(epochs=30, pause_after=12, optimizer=optimizer)[-1]
    rest = frames(gone_on(part), epochs=18, optimizer=optimizer, **goes_on(part))[-1]
    assert (rest["epoch"], rest["step"]) == (30, whole["step"])
    assert rest["weights"] == whole["weights"]
    assert rest["memory"] == whole["memory"]


def test_layers_are_measured() -> None:
    first, *_, last = frames(SCENE, {**DATA, "noise": 0}, epochs=3000, learning_rate=0.1)
    assert [*last["layers"][0]] == ["delta", "gradient", "saturated"]
    assert len(last["layers"]) == 3
    assert all(
        layer["delta"] > 0 and layer["gradient"] > 0 and 0 <= layer["saturated"] <= 1 for layer in last["layers"]
    )
    # The output has learnt to say −1 or 1.
    assert last["layers"][2]["saturated"] > 0.5 > first["layers"][2]["saturated"]


def test_a_run_ends_with_the_first_epoch_whose_loss_is_low_enough() -> None:
    told = frames(epochs=1000, learning_rate=0.1, loss_below=0.5)
    losses = {epoch: loss for frame in told for epoch, loss, _ in frame["curve"]}
    last = told[-1]
    assert last["ended"] == "loss below 0.5"
    assert last["loss"] < 0.5
    assert all(loss >= 0.5 for epoch, loss in losses.items() if 0 < epoch < last["epoch"])


@pytest.mark.parametrize("pause_after", [None, 1, 7])
def test_patience_ends_a_run_with_its_best_parameters_however_often_it_is_paused(pause_after: int | None) -> None:
    noisy = {"name": "circles", "rows": 60, "noise": 0.5}
    asked: dict[str, Any] = {"learning_rate": 0.3, "patience": 5, "clip_norm": 0.5}
    frame = frames(SCENE, noisy, **asked, pause_after=pause_after)[-1]
    while frame["ended"] is None:
        left = 1000 - frame["epoch"]
        frame = frames(gone_on(frame), noisy, **asked, **goes_on(frame), epochs=left, pause_after=pause_after)[-1]

    run = of_the_library(Lesson.of(body(SCENE, noisy)), optimizer=cr.SGD(0.3), epochs=1000, patience=5, clip_norm=0.5)
    assert run.best is not None
    assert 5 < run.epoch < 1000
    assert frame["epoch"] == run.epoch
    assert frame["ended"] == f"no lower held-out loss for 5 epochs; back at the weights of epoch {run.best.epoch}"
    assert np.array_equal(np.float32(frame["weights"][0]), run.parameters.weights[0])
    assert frame["held_out_loss"] == pytest.approx(run.best.loss)
    assert frame["best"] is None  # whoever goes on from a run that has ended has all patience again


@pytest.mark.parametrize("loss", [0.1, math.inf, math.nan])
def test_the_best_loss_of_a_paused_run_is_what_it_was_even_where_it_is_no_number_of_json(loss: float) -> None:
    lesson = Lesson.of(body(patience=5, pause_after=0))
    state = lesson.run.state
    state.best = Best(1, loss, state.theta)
    (frame,) = watching.frames(lesson)
    sent = msgspec.json.decode(encode(frame["best"]))
    best = Lesson.of(body(patience=5, best=sent)).run.best
    assert best is not None
    assert str(best.loss) == str(loss)  # of NaN, too, which equals nothing


def test_a_run_ends_after_its_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = itertools.count(0.0, 0.25)
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    assert frames(epochs=1_000_000, seconds=2)[-1]["ended"] == "2 seconds have passed"


def test_l_bfgs_trains_too_and_needs_no_learning_rate() -> None:
    first, *_, last = frames(epochs=60, optimizer="lbfgs", batch_size=1_000)
    assert last["loss"] < first["loss"] / 2
    assert last["weights"] == frames(epochs=60, optimizer="lbfgs", batch_size=1_000)[-1]["weights"]


def test_a_run_that_diverges_says_where_and_what_the_page_has_against_it() -> None:
    linear = {"inputs": 2, "layers": [{"activation": "identity", "bias": True}], "x": [0, 0], "y": [1]}
    last = frames(linear, {"name": "regression"}, learning_rate=1e5)[-1]
    assert last["ended"] == "it diverged"
    assert last["error"]["message"].startswith("In epoch 1, batch ")
    assert last["error"]["message"].endswith("Try a smaller learning rate, or clip the gradient to length 1.")
    assert np.abs(last["weights"][0]).max() <= 1e6
    clipped = frames(linear, {"name": "regression"}, epochs=2, learning_rate=1e5, clip_norm=1)[-1]
    assert clipped["ended"] == "all epochs done"


def test_a_parameter_that_the_page_could_not_have_is_divergence_too() -> None:
    linear = {"inputs": 2, "layers": [{"activation": "identity", "bias": True}], "x": [0, 0], "y": [1]}
    first, last = frames(linear, {"name": "regression"}, learning_rate=1e6, clip_norm=1e3)
    assert last["ended"] == "it diverged"
    assert last["error"]["message"].startswith("A weight or bias has grown beyond 1,000,000. Try a smaller learning ra")
    assert (last["weights"], last["loss"]) == (first["weights"], first["loss"])


def test_only_divergence_is_called_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> None:
        raise InputError("the table is gone: drop it again")

    monkeypatch.setattr(Lesson, "further", fails)
    last = frames(epochs=2)[-1]
    assert (last["ended"], last["error"]["message"]) == ("it cannot go on", "the table is gone: drop it again")


def test_a_run_may_diverge_in_its_first_epoch() -> None:
    steep = {"inputs": 2, "layers": [{"units": 9, "activation": "exponential"}, {}], "x": [0, 0]}
    first, last = frames(steep, learning_rate=1e6)
    assert (last["epoch"], last["curve"], last["ended"]) == (0, [], "it diverged")
    assert last["error"]["message"].startswith("In epoch 1, batch 2, the activation f of layer 1 is not fin")
    assert last["weights"] == first["weights"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"optimizer": "sdg"}, "unknown optimizer 'sdg': did you mean 'sgd'?"),
        ({"optimizer": "lbfgs", "clip_norm": 1}, "lbfgs searches along a line and cannot use clip_norm"),
        ({"optimizer": "adam", "memory": {"step": 3}}, "what the optimiser remembers is another optimiser's"),
        (
            {"optimizer": "adam", "memory": {"vectors": {"mean": "AAAA", "square": "A"}}},
            "memory.vectors.mean is no base64 of float32 numbers",
        ),
        (
            {"optimizer": "adam", "memory": {"vectors": {"mean": "AAAAAA==", "square": "AAAAAA=="}}},
            "memory.vectors.mean must hold 25 finite numbers: leave memory out",
        ),
        (
            {"patience": 3, "best": {"epoch": 1, "loss": 0.5, "parameters": "AAAAAA=="}},
            "best.parameters must hold 25 finite numbers: leave best out",
        ),
    ],
)
def test_what_does_not_fit_is_refused_before_a_job_begins(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Lesson.of(body(**change))


def test_targets_that_the_loss_cannot_take_are_refused_before_a_job_begins() -> None:
    scene = {"inputs": 2, "layers": [{"activation": "logistic"}], "loss": "binary_cross_entropy", "x": [0, 0], "y": [1]}
    with pytest.raises(InputError, match="is no target of binary_cross_entropy"):
        Lesson.of(body(scene, {"name": "regression"}))


# Jobs


def counting(started: list[int], closed: list[bool], pause: float = 0.001) -> Iterator[dict[str, Any]]:
    try:
        for number in itertools.count():
            started.append(number)
            yield {"number": number, "curve": [number]}
            time.sleep(pause)
    finally:
        closed.append(True)


def latest(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    return {**new, "curve": old["curve"] + new["curve"]}


def is_soon_idle(seconds: float = 1.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not jobs.running() and all(thread.name != jobs.NAME for thread in threading.enumerate()):
            return True
        time.sleep(0.005)
    return False


async def heard(job: AsyncIterator[Any], seconds: float, pause: float = 0.0) -> list[Any]:
    found = []
    end = time.monotonic() + seconds
    async for frame in job:
        found.append(frame)
        await asyncio.sleep(pause)
        if time.monotonic() > end:
            break
    return found


@pytest.mark.parametrize("pause", [0.0, 0.12])
def test_at_most_twenty_frames_a_second_are_heard_and_always_the_latest(pause: float) -> None:
    made: list[int] = []
    closed: list[bool] = []

    async def listen() -> list[Any]:
        job = Job(counting(made, closed), latest)  # type: ignore[arg-type]
        found = await heard(job, 0.6, pause)
        await job.aclose()
        return found

    found = asyncio.run(listen())
    assert len(found) <= 14
    assert len(made) > 10 * len(found)
    assert [number for frame in found for number in frame["curve"]] == [*range(found[-1]["number"] + 1)]
    assert is_soon_idle(0.2)
    assert closed == [True]


def test_all_frames_up_to_the_last_arrive() -> None:
    def three() -> Iterator[dict[str, Any]]:
        yield from ({"curve": [number]} for number in range(3))

    async def listen() -> list[Any]:
        return [frame async for frame in Job(three(), latest)]  # type: ignore[arg-type]

    assert [number for frame in asyncio.run(listen()) for number in frame["curve"]] == [0, 1, 2]


def test_what_goes_wrong_in_a_job_is_raised_where_it_is_heard() -> None:
    def failing() -> Iterator[dict[str, Any]]:
        yield {"curve": []}
        raise ZeroDivisionError

    async def listen() -> None:
        async for _ in Job(failing(), latest):  # type: ignore[arg-type]
            pass

    with pytest.raises(ZeroDivisionError):
        asyncio.run(listen())
    assert is_soon_idle()


def test_four_jobs_run_at_once_and_one_that_is_dropped_before_it_begins_is_none() -> None:
    made: list[int] = []
    some = [Job(counting(made, []), latest) for _ in range(4)]  # type: ignore[arg-type]
    with pytest.raises(Busy, match="4 networks are being trained"):
        Job(counting([], []), latest)  # type: ignore[arg-type]
    some.clear()
    assert is_soon_idle()
    assert not made


def test_a_job_ends_of_which_nobody_hears_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "UNHEARD", 0.2)
    job = Job(counting([], []), latest)  # type: ignore[arg-type]
    assert asyncio.run(anext(job))
    assert jobs.running() == 1
    assert is_soon_idle()


# Over a connection


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(progress=tmp_path_factory.mktemp("lab") / "progress.sqlite") as address:
        yield address


@pytest.fixture
def client(address: str) -> Iterator[httpx.Client]:
    with page(address) as client:
        yield client


def streamed(response: httpx.Response) -> Iterator[Any]:
    return (json.loads(line.removeprefix("data: ")) for line in response.iter_lines() if line)


ENDLESS = {"scene": SCENE, "data": DATA, "training": {"epochs": 1_000_000, "seconds": 600, "epochs_a_frame": None}}


def test_a_page_that_goes_leaves_no_job(client: httpx.Client) -> None:
    with client.stream("POST", "/api/train", json=ENDLESS) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        told = streamed(response)
        first, second = next(told), next(told)
        assert jobs.running() == 1
        assert second["epoch"] > first["epoch"]
        began = time.monotonic()
    assert is_soon_idle(0.5)
    assert time.monotonic() - began < 0.5


def test_a_fifth_job_is_told_to_come_back(address: str) -> None:
    with page(address) as client:
        with ExitStack() as pages:
            streams = [
                pages.enter_context(client.stream("POST", "/api/train", json=ENDLESS)).iter_bytes() for _ in range(4)
            ]
            for stream in streams:
                assert next(stream)
            refused = client.post("/api/train", json=ENDLESS)
            still_answered = client.post("/api/data", json={"data": DATA})
        assert refused.status_code == 503
        assert refused.json()["error"]["message"].startswith("4 networks are being trained")
        assert still_answered.status_code == 200
    assert is_soon_idle()


def test_complaints_arrive_instead_of_a_stream(client: httpx.Client) -> None:
    answer = client.post("/api/train", json={**ENDLESS, "data": {"name": "iris"}})
    assert answer.status_code == 422
    assert answer.json()["error"]["message"] == "these data have 4 inputs, but the network has 2: give it 4"


def test_points_can_be_learnt_to_the_end(client: httpx.Client) -> None:
    wanted = {
        "scene": SCENE,
        "data": {**DATA, "noise": 0},
        "training": {"epochs": 500, "optimizer": "adam", "epochs_a_frame": 100},
    }
    with client.stream("POST", "/api/train", json=wanted) as response:
        *_, last = streamed(response)
    assert last["ended"] == "all epochs done"
    assert last["score"]["name"] == "accuracy"
    assert last["score"]["value"] > 0.9
