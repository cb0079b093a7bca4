from cropvlm_trainer.training.run import open_log


def test_a_log_goes_on_without_torn_and_later_rows(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text('{"step": 1}\n{"step": 2}\n{"step": 3}\n{"st')
    with open_log(path, 2) as log:
        assert path.read_text() == '{"step": 1}\n{"step": 2}\n', "whole at once"
        log.write('{"step": 3}\n')
    assert path.read_text() == '{"step": 1}\n{"step": 2}\n{"step": 3}\n'
