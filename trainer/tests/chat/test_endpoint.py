import pytest

from cropvlm_trainer.chat.endpoint import Endpoint, key_from


@pytest.mark.parametrize("flags", ["--target-", "--"])
def test_a_url_without_a_scheme_is_refused(flags):
    with pytest.raises(ValueError, match=f"^{flags}url localhost:8000/v1 must start with http"):
        Endpoint("localhost:8000/v1", "a-model", flags=flags)


def test_a_key_is_in_the_environment_or_not_wanted(monkeypatch):
    monkeypatch.setenv("SOME_KEY", "secret")
    assert (key_from("SOME_KEY"), key_from(None)) == ("secret", None)
    monkeypatch.setenv("SOME_KEY", "")
    with pytest.raises(ValueError, match="has no SOME_KEY; set it"):
        key_from("SOME_KEY")
