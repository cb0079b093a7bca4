from random import Random

from cropvlm_trainer.data.synth.documents.content.goods import basket
from cropvlm_trainer.data.synth.documents.content.values import Money, money


def test_amounts_add_up():
    for seed in range(200):
        rng = Random(seed)
        bought = basket(rng, money(rng, ascii_only=True))
        base = sum(good.count * good.price for good in bought.goods) - bought.discount + bought.service
        added = 0 if bought.tax_is_inside else bought.tax
        assert bought.total == base + added + bought.rounding
        assert abs(bought.rounding) <= 2 and bought.paid >= bought.total > 0
        assert min(good.price for good in bought.goods) > 0
        assert len({good.name for good in bought.goods}) == len(bought.goods)


def test_money_is_written_as_its_document_writes_it():
    dollars = Money("$", "", False, "VAT", 20, "USD")
    assert [dollars.full(123450), dollars.plain(-5)] == ["$1,234.50", "-0.05"]
    assert Money("EUR", " ", True, "VAT", 19, "EUR").full(123450) == "EUR 1.234,50"
    assert Money("", " ", False, "GST", 6, "SGD").full(100) == "1.00"
