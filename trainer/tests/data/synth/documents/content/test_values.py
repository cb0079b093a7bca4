from random import Random

from cropvlm_trainer.data.synth.documents.content import labels, values


def test_every_kind_of_value_can_be_drawn():
    rng = Random(0)
    known = {**labels.RECEIPT_LABELS, **labels.FORM_LABELS, **labels.INVOICE_LABELS}
    currency = values.money(rng, ascii_only=False)
    for kind in set(known.values()):
        drawn = [values.value(rng, kind, currency) for _ in range(8)]
        assert all(text.strip() == text and text for text in drawn), (kind, drawn)


def test_labels_are_drawn_once_each_and_some_are_invented():
    rng = Random(1)
    pairs = values.labelled(rng, labels.RECEIPT_LABELS, 40, values.money(rng, True), new_share=0.5)
    names = [label for label, _ in pairs]
    assert len(set(names)) == 40 and 8 < sum(name not in labels.RECEIPT_LABELS for name in names) < 32


def test_dates_come_in_many_forms():
    when = values.moment(Random(2))
    assert len({values.date_text(Random(seed), when) for seed in range(200)}) > 15
