from cropvlm_trainer.data.merge import merge, pair_key

IMAGE = f"images/ab/{'ab' * 32}.jpg"


def row(source, answers, question="what is it?", image=IMAGE, **more):
    return {"source": source, "image": image, "question": question, "answers": answers, **more}


def test_rows_of_other_images_or_questions_stay():
    rows = [row("docvqa", ["a"]), row("docvqa", ["b"], "why?"), row("docvqa", ["c"], image="images/cd/cd.png")]
    kept, dropped = merge(rows)
    assert [r["answers"] for r in kept] == [["a"], ["b"], ["c"]]
    assert dropped == []
    assert len({r["id"] for r in kept}) == 3


def test_a_question_in_other_letter_case_is_the_same_prompt():
    kept, dropped = merge([row("docvqa", ["a"], "What is IT?"), row("docvqa", ["a"], "what is it?")])
    assert [r["question"] for r in kept] == ["What is IT?"]
    assert dropped == [("docvqa", False)]


def test_distinct_answers_of_a_duplicate_join_the_alternatives():
    kept, dropped = merge(
        [row("docvqa", ["a", "foo"]), row("stvqa", ["Foo", "b", " ", "b", "B "]), row("docvqa", ["c"])]
    )
    assert kept == [{"id": f"docvqa-{pair_key(kept[0])}", **row("docvqa", ["a", "foo", "b", "c"])}]
    assert dropped == [("stvqa", True), ("docvqa", True)]


def test_the_ten_votes_stay_as_they_are():
    votes = ["stop"] * 6 + ["Stop", "", "halt", "halt"]
    other = ["stop"] * 9 + ["end"]
    kept, dropped = merge([row("textvqa", votes), row("textvqa", other), row("stvqa", ["go", "end"])])
    assert [r["answers"] for r in kept] == [votes]
    assert kept[0]["other_answers"] == ["end", "go"]
    assert dropped == [("textvqa", True), ("stvqa", True)]


def test_votes_win_over_alternatives_and_take_the_first_place():
    votes = ["stop"] * 10
    kept, _ = merge([row("stvqa", ["go"], box=[1, 2, 3, 4]), row("docvqa", ["x"], "why?"), row("textvqa", votes)])
    assert [(r["source"], r["answers"]) for r in kept] == [("textvqa", votes), ("docvqa", ["x"])]
    assert kept[0]["other_answers"] == ["go"]
    assert kept[0]["box"] == [1, 2, 3, 4]
    assert kept[0]["id"].startswith("textvqa-")


def test_the_first_box_is_kept():
    kept, _ = merge([row("a", ["x"]), row("a", ["x"], box=[1, 2, 3, 4]), row("a", ["x"], box=[5, 6, 7, 8])])
    assert kept[0]["box"] == [1, 2, 3, 4]


def test_an_id_does_not_depend_on_the_rest_of_the_set():
    alone, _ = merge([row("docvqa", ["a"])])
    among, _ = merge([row("docvqa", ["z"], "why?"), row("docvqa", ["a"])])
    assert alone[0]["id"] == among[1]["id"]
