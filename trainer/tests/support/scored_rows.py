"""Rows that an evaluation scores, each by another measure: VQA accuracy, ANLS, multiple choice and exact match."""

TEXT = {
    "image": "a.png",
    "kind": "page",
    "question": "What?",
    "answers": ["red"] * 3 + ["blue"] * 7,
    "source": "textvqa",
}

DOC = {"image": "b.png", "kind": "page", "question": "How much?", "answers": ["12.50"], "source": "DocVQA"}

CHOICE = {
    "image": "c.png",
    "kind": "page",
    "question": "Where?",
    "answers": ["B"],
    "source": "V*",
    "options": ["on the left", "on the right"],
}

PAGE = {"image": "d.png", "kind": "receipt", "question": "Total?", "answers": ["3"], "box": [10, 10, 30, 20]}
