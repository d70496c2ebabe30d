"""Units of work on a Ray cluster of two nodes on this machine."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ava_core.base.errors import SettingsError
from ava_core.base.settings import load_settings
from ava_core.base.work.choice import make_runner
from ava_core.base.work.on_ray import TRIES, RayRunner
from ava_core.base.work.runner import InlineRunner, Outcome, untold
from tests.support import units
from tests.support.ray_cluster import RayNodes, two_nodes
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.nightly]


@pytest.fixture(scope="module")
def cluster() -> Iterator[RayNodes]:
    with two_nodes() as nodes:
        yield nodes


@pytest.fixture
def runner(cluster: RayNodes) -> RayRunner:
    return RayRunner(cluster.address)


def test_the_settings_choose_ray(cluster: RayNodes) -> None:
    made = make_runner(load_settings(runner="ray", ray_address=cluster.address, workers=3), 5, worth=0)
    assert isinstance(made, RayRunner)
    assert (made.address, made.workers, made.on_gpu) == (cluster.address, 3, False)


def test_outcomes_come_in_the_order_of_the_units_and_progress_is_told(runner: RayRunner) -> None:
    told: list[float] = []
    outcomes = runner.run(units.where, [3, 1, 2], lambda done=1.0, /: told.append(done))
    assert [one.result[0] for one in outcomes if one.result] == [3, 1, 2]
    assert sum(told) == 6


def test_an_error_is_the_reason_of_its_unit_alone(runner: RayRunner) -> None:
    mine = InlineRunner().run(units.odd_one_breaks, [1, 2, 3, 4], untold)
    assert runner.run(units.odd_one_breaks, [1, 2, 3, 4], untold) == mine


def test_what_the_others_would_meet_as_well_ends_the_work(runner: RayRunner) -> None:
    with pytest.raises(OSError, match="No space left"):
        runner.run(units.full_disk, [1, 2, 3], untold)


def test_no_more_units_are_under_way_than_told(cluster: RayNodes, tmp_path: Path) -> None:
    work = functools.partial(units.count_neighbours, tmp_path)
    outcomes = RayRunner(cluster.address, workers=1).run(work, list(range(4)), untold)
    assert [one.result for one in outcomes] == [1, 1, 1, 1]


def test_a_unit_whose_process_is_killed_is_tried_again(runner: RayRunner, tmp_path: Path) -> None:
    told: list[float] = []
    work = functools.partial(units.kill_once, tmp_path)
    outcomes = runner.run(work, [0, 1, 2, 3], lambda done=1.0, /: told.append(done))
    assert [one.result for one in outcomes] == [0, 1, 2, 3]
    assert sum(told) == 4, "what the killed one had told is taken back"


def test_a_unit_that_kills_its_process_each_time_costs_itself_alone(runner: RayRunner) -> None:
    outcomes = runner.run(units.kill_always, [0, 1, 2, 3], untold)
    assert [one.result for one in outcomes] == [0, None, 2, 3]
    assert f"was lost {TRIES} times" in outcomes[1].reason


def test_actors_of_a_gpu_make_their_detector_once(cluster: RayNodes) -> None:
    """Each node says that it has a GPU; two actors are made, and stay for all units."""
    outcomes = RayRunner(cluster.address, on_gpu=True).run(units.made_once, list(range(8)), untold)
    made = [one.result for one in outcomes if one.result]
    assert len(made) == 8
    assert len({process for process, _ in made}) <= 2
    assert {times for _, times in made} == {1}


def test_a_lost_node_costs_its_units_alone(cluster: RayNodes, tmp_path: Path) -> None:
    work = functools.partial(units.lost_with_its_node, tmp_path)
    lost = cluster.add_node()
    outcomes: list[Outcome[Any]] = []
    run = threading.Thread(
        target=lambda: outcomes.extend(RayRunner(cluster.address).run(work, list(range(6)), untold)),
        daemon=True,
    )
    run.start()
    wait_until(lambda: len(list(tmp_path.glob("*.begun"))) >= 3, 60)
    cluster.remove(lost)
    (tmp_path / "go on").touch()
    run.join(120)
    assert [one.result for one in outcomes] == list(range(6))


@pytest.mark.parametrize("address", ["127.0.0.1:1", "nowhere"])
def test_no_cluster_is_said_as_it_is(address: str) -> None:
    with pytest.raises(SettingsError, match=r"No Ray cluster is responding.*AVA_RAY_ADDRESS"):
        RayRunner(address).run(units.where, [1], untold)
