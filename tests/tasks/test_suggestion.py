"""What models write that are not held to a schema: read where the meaning is plain, and refused where it is not."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.ai.llm.shapes import InvalidAnswer, read_shape
from backend.tasks.breakdown.llm_answers import SuggestedSteps, minutes_in

pytestmark = pytest.mark.unit
TWO = ["Turn the heating off", "Open each valve"]
OBJECTS = [{"title": title} for title in TWO]
NUMBERED = "1. Turn the heating off\n2. Open each valve"


def titles(answer: Any) -> list[str]:
    text = answer if isinstance(answer, str) else json.dumps(answer)
    return [step.title for step in read_shape(text, SuggestedSteps).subtasks]


WRAPPED: list[Any] = [
    OBJECTS,
    TWO,
    *({name: OBJECTS} for name in ("tasks", "steps", "sub_tasks", "subTasks", "Subtasks", "items", "plan", "Schritte")),
    *({name: TWO} for name in ("tasks", "steps", "sub-tasks", "todo_list", "action_items", "result", "checklist")),
    {"subtasks": TWO},
    {"subtasks": NUMBERED},
    {"subtasks": {"1": TWO[0], "2": TWO[1]}},
    {"subtasks": {"step 2": OBJECTS[1], "step 1": OBJECTS[0]}},
    {"step1": TWO[0], "step2": TWO[1]},
    {"result": {"subtasks": OBJECTS}},
    {"data": {"response": {"tasks": TWO}}},
    {"task": "Bleed the radiators", "steps": TWO, "notes": ["Mind the carpet"], "total_minutes": 60},
    {"task": {"title": "Bleed"}, "subtasks": OBJECTS, "bookmarks": [{"id": 1, "title": "Radiators"}]},
    [{"name": TWO[0]}, {"step": TWO[1]}],
    [{"step": 1, "task": TWO[0]}, {"step": 2, "task": TWO[1]}],
    [{"step": 1, "description": TWO[0]}, {"step": 2, "description": TWO[1]}],
    [*OBJECTS, None, ""],
    ["1. Turn the heating off", "2) Open each valve"],
    ["Step 1: Turn the heating off", "Step 2: Open each valve"],
    f"Here you are:\n```json\n{json.dumps(OBJECTS)}\n```\nGood luck!",
    f"<think>Perhaps [1, 2] or {{}}</think>{json.dumps(TWO)}",
    f"[Note] As asked: {json.dumps({'subtasks': OBJECTS})}",
    NUMBERED,
    "1) Turn the heating off\n\n2) Open each valve\n",
    "1. **Turn the heating off**\n2. **Open each valve**",
    "**1. Turn the heating off**\n**2. Open each valve**",
    "Step 1: Turn the heating off\nStep 2: Open each valve",
    "- Turn the heating off\n- Open each valve",
    "* [ ] Turn the heating off\n* [ ] Open each valve",
    "[ ] Turn the heating off\n[ ] Open each valve",
    "• Turn the heating off\n• Open each valve",
    f"Sure! These are the steps:\n\n{NUMBERED}\n\nLet me know how it goes.",
    f"<think>\n- maybe this\n- maybe that\n</think>\n{NUMBERED}",
]


@pytest.mark.parametrize("answer", WRAPPED, ids=[str(number) for number in range(len(WRAPPED))])
def test_steps_are_found_however_they_are_wrapped(answer: Any) -> None:
    assert titles(answer) == TWO


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("I would first turn off the heating.", "There is no JSON object in it."),
        ("I'm sorry, I cannot do that:\n- I know no radiators\n- I have no hands", "There is no JSON object in it."),
        ("Tell me first:\n1. Which radiators?\n2. How old are they?", "There is no JSON object in it."),
        ("Heat is bad.\n- Turn it off", "There is no JSON object in it."),
        (f"<think>{NUMBERED}", "There is no JSON object in it."),
        ("[]", "There is no JSON object in it."),
        ("[1, 2]", "There is no JSON object in it."),
        ({"steps": []}, "subtasks: Field required"),
        ({"steps": OBJECTS, "tasks": OBJECTS}, "subtasks: Field required"),
        ({"errors": TWO}, "subtasks: Field required"),
        ({"error": "Busy", "items": TWO}, "subtasks: Field required"),
        ({"questions": ["Which radiators?"]}, "subtasks: Field required"),
        ({"bookmarks": [{"id": 1, "title": "Radiators"}], "existing_subtasks": ["a"]}, "subtasks: Field required"),
        ({"title": "Bleed the radiators", "description": "All"}, "subtasks: Field required"),
        ({"subtasks": [{"description": "x"}]}, "subtasks.0.title: Field required"),
        ({"subtasks": [{"title": None}]}, "subtasks.0.title: Field required"),
        ({"subtasks": [["a", "b"]]}, "subtasks.0: "),
        ({"subtasks": 2}, "subtasks: "),
        ([{"title": "a"}, {"minutes": 5}], "subtasks.1.title: Field required"),
    ],
)
def test_what_may_mean_something_else_is_not_read(answer: Any, told: str) -> None:
    with pytest.raises(InvalidAnswer) as caught:
        titles(answer)
    assert str(caught.value).startswith(told)


def test_a_list_in_plain_text_that_was_cut_off_is_not_read() -> None:
    with pytest.raises(InvalidAnswer):
        read_shape(NUMBERED, SuggestedSteps, is_whole=False)


@pytest.mark.parametrize(
    ("written", "minutes"),
    [
        ("30 min", 30), ("30min", 30), ("30 minutes", 30), ("~30 min.", 30), ("about 30 minutes", 30), ("30", 30),
        ("1h", 60), ("1 hour", 60), ("1.5 hours", 90), ("1,5 Stunden", 90), ("2 hrs", 120), ("1h 30min", 90),
        ("1h30", 90), ("1 hour 15 minutes", 75), ("1 hour and 15 minutes", 75), ("30-60 min", 45), ("1–2 hours", 90),
        ("1:30", 90), ("PT1H30M", 90), ("PT45M", 45), ("half an hour", 30), ("an hour", 60), ("1 day", 480),
        ("1,000", 1000), ("20 minutos", 20), ("2 heures", 120),
        ("depends", None), ("", None), ("PT", None), ("3 radiators", None), ("30 min for 2 people", None),
    ],
)  # fmt: skip
def test_lengths_are_read_as_people_write_them(written: str, minutes: float | None) -> None:
    assert minutes_in(written) == minutes
    [step] = read_shape(json.dumps([{"title": "a", "estimate_minutes": written}]), SuggestedSteps).subtasks
    assert step.estimate_minutes == (minutes or 0)


@pytest.mark.parametrize(
    ("said", "minutes"),
    [
        ({"estimate_minutes": None}, 0), ({"estimateMinutes": "1h"}, 60), ({"duration": "45 min"}, 45),
        ({"hours": 1.5}, 90),
        ({"estimate": {"value": 2, "unit": "hours"}}, 120), ({"estimate_minutes": 20, "hours": 9}, 20),
    ],
)  # fmt: skip
def test_the_length_may_have_another_name(said: dict[str, Any], minutes: float) -> None:
    [step] = read_shape(json.dumps({"subtasks": [{"title": "a", **said}]}), SuggestedSteps).subtasks
    assert step.estimate_minutes == minutes


@pytest.mark.parametrize(
    ("cited", "ids"),
    [
        (None, []), (3, [3]), ("3", [3]), ("3, 4", [3, 4]), (["3", 4], [3, 4]), ([{"id": 3}], [3]),
        ([None, True, "x"], []),
        ([10**30], [10**30]), ([3.0], []), ("none", []),
    ],
)  # fmt: skip
def test_ids_are_read_in_and_out_of_lists(cited: Any, ids: list[int]) -> None:
    [step] = read_shape(json.dumps({"subtasks": [{"title": "a", "bookmark_ids": cited}]}), SuggestedSteps).subtasks
    assert step.bookmark_ids == ids


def test_what_a_text_says_beside_a_step_becomes_its_description_and_its_length() -> None:
    said = (
        "1. **Turn it off**: at the boiler, see [how](https://example.org/made-up). (1 h)\n   - wait\n"
        "2. Open the valve (10 min)"
    )
    first, second = read_shape(said, SuggestedSteps).subtasks
    assert (first.title, first.estimate_minutes) == ("Turn it off", 60)
    assert "wait" in first.description
    assert "made-up" not in first.description
    assert (second.title, second.description, second.estimate_minutes) == ("Open the valve", "", 10)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["subtasks", "steps", "title", "1", "estimate_minutes", "bookmark_ids", "x"]),
                inner,
                max_size=4,
            )
        ),
    )
)
def test_any_json_is_either_read_or_unfit(value: Any) -> None:
    try:
        suggestion = read_shape(json.dumps(value), SuggestedSteps)
    except InvalidAnswer:
        return
    assert all(step.title for step in suggestion.subtasks)


@given(st.text())
def test_any_text_is_either_read_or_unfit(text: str) -> None:
    for written in (text, f"1. {text}\n2. {text}", f"[{text}]", f'["{text}"]', f'{{"subtasks": "{text}"}}'):
        with suppress(InvalidAnswer):
            assert all(step.title for step in read_shape(written, SuggestedSteps).subtasks)
