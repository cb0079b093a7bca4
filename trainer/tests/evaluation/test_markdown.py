from cropvlm_trainer.evaluation.markdown import table


def test_a_table_has_a_header_and_a_row_for_each_name():
    lines = table("cropper", ["all", "receipt"], {"base": ["1.0", "2.0"], "SFT": ["3.0", "4.0"]}).splitlines()
    assert lines == ["| cropper | all | receipt |", "|---|---|---|", "| base | 1.0 | 2.0 |", "| SFT | 3.0 | 4.0 |"]
