"""The left-to-right benchmark: where an answer ends, what is run, how pass@k is estimated."""

from itertools import combinations

import pytest

from benchmarks import humaneval
from benchmarks.measure.kept import Kept
from benchmarks.significance import pass_at_k
from midfill.server.sandbox import Job, Outcome

ADD = {"task_id": "1", "prompt": "def add(a, b):\n", "test": "def check(f): assert f(1, 2) == 3"}
ADD |= {"entry_point": "add"}


@pytest.mark.parametrize(("samples", "passed", "k"), [(5, 2, 1), (5, 2, 3), (6, 0, 2), (4, 4, 1)])
def test_pass_at_k_is_the_share_of_draws_with_one_that_passed(samples, passed, k):
    draws = list(combinations(range(samples), k))
    right = sum(any(at < passed for at in draw) for draw in draws)
    assert pass_at_k(samples, passed, k) == pytest.approx(right / len(draws))


def test_more_draws_than_samples_are_refused():
    with pytest.raises(ValueError, match="pass@3 of 2"):
        pass_at_k(2, 1, 3)


@pytest.mark.parametrize("cut", [1, 3, 100])
def test_an_answer_ends_where_the_function_does_however_it_comes(cut):
    whole = "    if a:\n        return b\n\n    return a + b\n\nprint(add(1, 2))\ndef more(): pass"
    pieces = [whole[at : at + cut] for at in range(0, len(whole), cut)]
    assert humaneval.until_over(pieces) == "    if a:\n        return b\n\n    return a + b\n"


def test_a_function_is_read_no_further_than_its_end():
    def endless():
        yield "    return 1\n\ndef "
        pytest.fail("read on")

    assert humaneval.until_over(endless()) == "    return 1\n"


class Fenced:
    def run(self, job: Job) -> Outcome:
        ((_, code),) = job.files
        try:
            exec(compile(code, "job", "exec"), {})
        except AssertionError:
            return Outcome(1, "", "")
        return Outcome(0, "", "")


def test_each_answer_is_run_once_and_kept(tmp_path):
    class Writer:
        def write(self, prompt: str, temperature: float) -> str:
            return "    return a + b" if temperature else "    return a - b"

    def judged(names, temperature, writer):
        return humaneval.judged([ADD], names, temperature, Kept(tmp_path / "kept"), Fenced(), writer)

    assert judged([humaneval.GREEDY], 0.0, Writer) == {"1": [False]}
    assert judged(["t 0", "t 1"], 0.8, Writer) == {"1": [True, True]}
    assert judged([humaneval.GREEDY, "t 1"], 0.8, lambda: pytest.fail("kept")) == {"1": [False, True]}


def test_the_table_has_greedy_and_each_k_that_there_are_samples_for():
    drawn = {"1": [False] * 9 + [True]}
    rows = {row["key"]: row["share"] for row in humaneval.summed({"1": [True], "2": [False]}, drawn)}
    assert rows == {"pass_at_1_greedy": 0.5, "pass_at_1": pytest.approx(0.1), "pass_at_10": 1}
    assert [row["key"] for row in humaneval.summed({"1": [True]}, {})] == ["pass_at_1_greedy"]
