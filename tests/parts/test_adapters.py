"""What the adapters hand to peft."""

import pytest

from runner import kinds


def lora(**fields):
    return kinds.pick("adapters", "lora").model_validate({"type": "lora", **fields})


@pytest.mark.parametrize(
    "fields,expected",
    [
        ({}, (8, 16.0, 0.0, "all-linear")),
        ({"rank": 4, "alpha": 8.5, "dropout": 0.25, "targets": ["query", "value"]}, (4, 8.5, 0.25, {"query", "value"})),
    ],
    ids=["defaults", "all written"],
)
def test_lora_says_the_same_to_peft(fields, expected):
    config = lora(**fields).config()
    assert (config.r, config.lora_alpha, config.lora_dropout, config.target_modules) == expected
    assert config.peft_type == "LORA"
    assert config.bias == "none"


@pytest.mark.parametrize(
    "fields",
    [
        {"rank": 0},
        {"rank": 2.5},
        {"alpha": 0.0},
        {"dropout": 1.0},
        {"targets": []},
        {"targets": [""]},
        {"targets": "all"},
    ],
    ids=str,
)
def test_lora_refuses_what_peft_could_not_do(fields):
    with pytest.raises(ValueError, match="validation error"):
        lora(**fields)
