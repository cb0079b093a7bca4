"""fp16, int8 and q4: what is converted, what it costs in likeness, and what is refused."""

from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from support.paths import REPOSITORY
from transformers import AutoProcessor, Idefics3ForConditionalGeneration

from cropvlm_trainer.export.check.agreement import check_agreement
from cropvlm_trainer.export.check.expected import PROMPTS, expected
from cropvlm_trainer.export.check.pages import check_pages
from cropvlm_trainer.export.check.parity import ParityError
from cropvlm_trainer.export.check.session import OnnxModel
from cropvlm_trainer.export.export import export
from cropvlm_trainer.export.precision.blockwise import q4_graph
from cropvlm_trainer.export.precision.fp16 import fp16_graph
from cropvlm_trainer.export.precision.per_row import MAX_INT8
from cropvlm_trainer.export.precision.precision import convert
from cropvlm_trainer.export.settings import PRECISIONS
from cropvlm_trainer.golden.fixtures.models import TINY, tiny_model, tiny_tokenizer
from cropvlm_trainer.golden.settings import SEED
from cropvlm_trainer.idefics3.checkpoint import save_checkpoint

COMMITTED = REPOSITORY / "test" / "fixtures" / "models" / "tiny" / "onnx"
LAYERS = 2


@pytest.fixture(scope="module")
def model() -> Idefics3ForConditionalGeneration:
    return tiny_model(SEED)


@pytest.fixture(scope="module")
def checkpoint(model: Idefics3ForConditionalGeneration, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoint")
    save_checkpoint(model, TINY, tiny_tokenizer(), folder, {"recipe": "random"})
    return folder


@pytest.fixture(scope="module")
def exported(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    out = tmp_path_factory.mktemp("exported") / "out"
    options = {"role": "cropper", "model_id": "all", "precisions": tuple(PRECISIONS), "floor": 0.0}
    return out, export(checkpoint, out, **options, resolutions=[64, 128], parity_pages=6)


def graph_of(folder: Path, name: str) -> onnx.ModelProto:
    return onnx.load(folder / "onnx" / f"{name}.onnx")


def kinds(graph: onnx.ModelProto) -> Counter:
    return Counter(node.op_type for node in graph.graph.node)


def types(values) -> dict[str, int]:
    return {value.name: value.type.tensor_type.elem_type for value in values}


def weights(graph: onnx.ModelProto) -> dict[str, onnx.TensorProto]:
    return {weight.name: weight for weight in graph.graph.initializer}


def test_fp32_is_what_it_was_before_there_were_others(exported: tuple[Path, dict]) -> None:
    for name in ("vision_encoder", "embed_tokens", "decoder_model_merged"):
        made, kept = graph_of(exported[0], name), onnx.load(COMMITTED / f"{name}.onnx")
        assert [node.SerializeToString() for node in made.graph.node] == [
            n.SerializeToString() for n in kept.graph.node
        ]
        assert {w.data_type for w in made.graph.initializer} == {w.data_type for w in kept.graph.initializer}


def test_half_precision_keeps_the_outside_in_float32_and_the_cache_in_halves(exported: tuple[Path, dict]) -> None:
    decoder, vision = (graph_of(exported[0], f"{name}_fp16") for name in ("decoder_model_merged", "vision_encoder"))
    cache = [f"{i}.{part}" for i in range(LAYERS) for part in ("key", "value")]
    assert types(decoder.graph.input) == {
        "inputs_embeds": TensorProto.FLOAT,
        "attention_mask": TensorProto.INT64,
        "logit_indices": TensorProto.INT64,
        **{f"past_key_values.{name}": TensorProto.FLOAT16 for name in cache},
    }
    assert types(decoder.graph.output) == {
        "logits": TensorProto.FLOAT,
        "cache_update": TensorProto.FLOAT16,
    }
    assert types(vision.graph.input) == {"pixel_values": TensorProto.UINT8}
    assert types(vision.graph.output) == {"image_features": TensorProto.FLOAT}
    for graph in (decoder, vision):
        exact = {w.name for w in graph.graph.initializer if w.data_type == TensorProto.FLOAT}
        assert exact == ({"pixels.divisor", "pixels.mean", "pixels.std"} if graph is vision else set())
        assert {w.data_type for w in graph.graph.initializer if w.name not in exact} == {
            TensorProto.FLOAT16,
            TensorProto.INT64,
        }
    exact = numpy_helper.to_array(weights(graph_of(exported[0], "decoder_model_merged"))["lm_head.weight"])
    np.testing.assert_array_equal(
        numpy_helper.to_array(weights(decoder)["lm_head.weight"]), exact.astype(np.float16), strict=True
    )


def test_int8_has_a_scale_for_each_channel_and_each_row(exported: tuple[Path, dict]) -> None:
    vision, decoder = (graph_of(exported[0], f"{name}_int8") for name in ("vision_encoder", "decoder_model_merged"))
    # Vision: q k v out fc1 fc2 of each layer, and the connector. Decoder: qkv o gate up; down and the head in blocks.
    assert (kinds(vision)["MatMulIntegerToFloat"], kinds(vision)["MatMul"]) == (6 * LAYERS + 1, 0)
    assert (kinds(decoder)["MatMulIntegerToFloat"], kinds(decoder)["MatMul"]) == (4 * LAYERS, 0)
    blocked = [node for node in decoder.graph.node if node.op_type == "MatMulNBits"]
    assert len(blocked) == LAYERS + 1
    for node in blocked:
        found = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
        assert (found["bits"], found["block_size"], found["accuracy_level"]) == (8, 32, 4)
    assert (kinds(vision)["Conv"], kinds(vision)["ConvInteger"], kinds(vision)["MatMulNBits"]) == (1, 0, 0)
    # What q, k and v read is quantized once; so is what gate and up read.
    assert kinds(vision)["QuantizeLinear"] == 4 * LAYERS + 1
    assert kinds(decoder)["QuantizeLinear"] == 3 * LAYERS
    exact = numpy_helper.to_array(weights(graph_of(exported[0], "decoder_model_merged"))["text.0.qkv.weight"])
    found = weights(decoder)
    whole = numpy_helper.to_array(found["text.0.qkv.weight.int8"])
    # The graph's scale is of a product with rows in steps of their largest.
    scales = numpy_helper.to_array(found[f"text.0.qkv.weight.scale.{MAX_INT8}"]) * MAX_INT8
    assert (whole.dtype, whole.shape, scales.shape) == (np.int8, (64, 128), (128,))
    np.testing.assert_array_less(np.abs(whole * scales - exact), scales * 0.51 + np.zeros_like(exact))
    assert set(types(decoder.graph.input).values()) == {TensorProto.FLOAT, TensorProto.INT64}


def test_q4_has_four_bits_and_eight_in_the_head(exported: tuple[Path, dict]) -> None:
    vision, decoder = (graph_of(exported[0], f"{name}_q4") for name in ("vision_encoder", "decoder_model_merged"))
    assert (kinds(vision)["MatMulNBits"], kinds(vision)["MatMul"]) == (6 * LAYERS + 1, 0)
    assert (kinds(decoder)["MatMulNBits"], kinds(decoder)["MatMul"]) == (5 * LAYERS + 1, 0)
    bits = Counter()
    for node in [*vision.graph.node, *decoder.graph.node]:
        if node.op_type == "MatMulNBits":
            found = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
            assert (found["block_size"], found["accuracy_level"]) == (32, 4)
            bits[found["bits"], "lm_head" in node.input[1]] += 1
    assert bits == {(4, False): 11 * LAYERS + 1, (8, True): 1}


def test_the_table_of_words_is_the_same_below_fp32(exported: tuple[Path, dict]) -> None:
    files = [(exported[0] / "onnx" / f"embed_tokens_{name}.onnx").read_bytes() for name in ("fp16", "int8", "q4")]
    assert files[0] == files[1] == files[2]
    ids = np.arange(40)[None]
    exact, half = (OnnxModel(exported[0], suffix).token_embeddings(ids) for suffix in ("", "_int8"))
    assert half.dtype == np.float32
    np.testing.assert_array_equal(half, exact.astype(np.float16).astype(np.float32))


def test_the_report(exported: tuple[Path, dict]) -> None:
    folder, manifest = exported
    assert (manifest["precisions"], manifest["default_precision"]) == (["fp32", "fp16", "int8", "q4"], "fp32")
    assert {name for name in manifest["sha256"] if name.startswith("onnx/")} == {
        f"onnx/{graph}{suffix}.onnx"
        for graph in ("vision_encoder", "embed_tokens", "decoder_model_merged")
        for suffix in PRECISIONS.values()
    }
    parity = manifest["scores"]["parity"]
    assert set(parity["fp32"]) == {"features", "prefill", "decode", "greedy_equal"}
    assert parity["fp32"]["greedy_equal"] == "6/6"
    fp16, int8, q4 = parity["fp16"], parity["int8"], parity["q4"]
    assert set(fp16) == {*parity["fp32"], "steps_equal", "boxes", "boxes_equal", "box_iou"}
    for name in ("features", "prefill", "decode"):
        assert 0 < parity["fp32"][name] < 1e-3 < fp16[name] < int8[name] < q4[name]
    assert (fp16["steps_equal"], fp16["boxes"]) == (1.0, 6)
    assert fp16["box_iou"] > 0.9
    assert 1 > int8["steps_equal"] > 0.7 > q4["steps_equal"]
    assert 1 >= fp16["box_iou"] >= int8["box_iou"] > q4["box_iou"]
    sizes = [(folder / "onnx" / f"vision_encoder{suffix}.onnx").stat().st_size for suffix in PRECISIONS.values()]
    assert sizes[0] > 1.9 * sizes[1] > 1.9 * sizes[2] > 1.9 * sizes[3]


def test_many_tiles_are_among_the_prompts(model: Idefics3ForConditionalGeneration, exported: tuple[Path, dict]) -> None:
    wanted = expected(model, AutoProcessor.from_pretrained(exported[0]))
    assert [len(one.features) for one in wanted] == [1, 1, 1, 1, 5, 13]
    assert len(wanted) == len(PROMPTS)
    with pytest.raises(ValueError, match="parity on 0 prompts checks nothing"):
        expected(model, AutoProcessor.from_pretrained(exported[0]), 0)


def test_what_cannot_be_used_is_refused(
    model: Idefics3ForConditionalGeneration, checkpoint: Path, exported: tuple[Path, dict], tmp_path: Path
) -> None:
    processor, q4 = AutoProcessor.from_pretrained(checkpoint), OnnxModel(exported[0], "_q4")
    wanted = expected(model, processor, 2)
    with pytest.raises(ParityError, match=r"out/onnx/\*_q4.onnx cannot be used: steps_equal is 0.\d+, below 0.99"):
        check_agreement(wanted, q4, 0.99)
    with pytest.raises(ParityError, match="cannot be used: box_iou is 0.5, below 0.6"):
        check_pages("cropper", [(0, 0, 10, 10), (5, 5, 9, 9)], [(0, 0, 10, 10), (50, 50, 60, 60)], q4, 0.6)
    assert check_pages("cropper", [(0, 0, 10, 10), (5, 5, 9, 9)], [(0, 0, 10, 10), (5, 5, 9, 7)], q4, 0.6) == {
        "boxes": 2,
        "boxes_equal": 0.5,
        "box_iou": 0.75,
    }
    # A target's answers are counted whole, and none are too few.
    answers = [(5, 6, 2), (7, 2), (8, 9, 2)], [(5, 6, 2), (7, 3), (8, 2)]
    assert check_pages("target", *answers, q4, 1.0) == {"answers": 3, "answers_equal": 0.333}
    with pytest.raises(ParityError, match="leave this precision out of --precision"):
        export(
            checkpoint, tmp_path / "q4", role="target", model_id="x", precisions=("q4",), parity_prompts=1, floor=1.0
        )
    assert not (tmp_path / "q4").exists()
    with pytest.raises(ValueError, match="the hub's layout has no fp16"):
        export(checkpoint, tmp_path / "x", role="target", model_id="x", precisions=("fp16",), hub_layout=True)
    with pytest.raises(ValueError, match=r"unknown precision \(none\)"):
        export(checkpoint, tmp_path / "x", role="target", model_id="x", precisions=())


def test_values_that_are_not_finite_are_refused(
    model: Idefics3ForConditionalGeneration, exported: tuple[Path, dict], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = expected(model, AutoProcessor.from_pretrained(exported[0]), 1)
    fp16 = OnnxModel(exported[0], "_fp16")
    decode = fp16.decode
    monkeypatch.setattr(fp16, "decode", lambda *args: (decode(*args)[0] * np.inf, decode(*args)[1]))
    with pytest.raises(ParityError, match="values that are not finite"):
        check_agreement(wanted, fp16, 0.0)


def test_one_precision_alone_leaves_no_other_behind(checkpoint: Path, tmp_path: Path) -> None:
    options = {"role": "target", "model_id": "x", "parity_prompts": 1, "parity_pages": 3}
    manifest = export(checkpoint, tmp_path / "out", precisions=("int8",), **options)
    assert (manifest["precisions"], manifest["default_precision"]) == (["int8"], "int8")
    assert sorted(path.name for path in (tmp_path / "out" / "onnx").iterdir()) == [
        "decoder_model_merged_int8.onnx",
        "embed_tokens_int8.onnx",
        "vision_encoder_int8.onnx",
    ]
    assert list(manifest["scores"]["parity"]) == ["int8"]
    parity = manifest["scores"]["parity"]["int8"]
    assert "box_iou" not in parity
    assert (parity["answers"], 0 <= parity["answers_equal"] <= 1) == (3, True)


def test_a_decoder_that_stays_float32(checkpoint: Path, tmp_path: Path) -> None:
    options = {"role": "cropper", "model_id": "x", "precisions": ("fp32", "int8"), "parity_prompts": 1}
    export(checkpoint, tmp_path / "out", **options, parity_pages=0, fp32_decoder=True)
    onnx_files = tmp_path / "out" / "onnx"
    decoder = onnx_files / "decoder_model_merged_int8.onnx"
    assert decoder.read_bytes() == (onnx_files / "decoder_model_merged.onnx").read_bytes()
    assert kinds(graph_of(tmp_path / "out", "vision_encoder_int8"))["MatMulIntegerToFloat"]
    with pytest.raises(ValueError, match="leave out --fp32-decoder or fp16"):
        export(checkpoint, tmp_path / "half", role="cropper", model_id="x", precisions=("fp16",), fp32_decoder=True)
    with pytest.raises(ValueError, match="--fp32-decoder is for int8 and q4; leave it out, or add one of them"):
        export(checkpoint, tmp_path / "full", role="cropper", model_id="x", precisions=("fp32",), fp32_decoder=True)


def test_the_hubs_layout_in_int8(checkpoint: Path, tmp_path: Path) -> None:
    parity = export(
        checkpoint,
        tmp_path / "hub",
        role="target",
        model_id="x",
        precisions=("int8",),
        hub_layout=True,
        parity_prompts=2,
        parity_pages=2,
    )
    assert 0.7 < parity["int8"]["steps_equal"] <= 1


def one_product(rows: int, value: float) -> onnx.ModelProto:
    weight = numpy_helper.from_array(np.full((rows, 16), value, dtype=np.float32), "w")
    values = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", size]) for name, size in [("x", rows), ("y", 16)]
    ]
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"], "m")], "g", values[:1], values[1:], [weight]
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def test_weights_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="weight w reaches 70000.0, beyond half precision's 65504"):
        fp16_graph(one_product(32, -7e4))
    with pytest.raises(ValueError, match="weight w reaches nan"):
        fp16_graph(one_product(32, float("nan")))
    with pytest.raises(ValueError, match="w has 24 rows, no multiple of 16"):
        q4_graph(one_product(24, 1.0))
    blocks = [q4_graph(one_product(rows, 1.0)).graph.node[0].attribute for rows in (64, 48)]
    assert [next(a.i for a in block if a.name == "block_size") for block in blocks] == [32, 16]


def test_conversion_leaves_the_graph_alone() -> None:
    graph = one_product(32, 0.5)
    before = graph.SerializeToString()
    for precision in PRECISIONS:
        convert(graph, "vision_encoder", precision)
    assert graph.SerializeToString() == before
    assert convert(graph, "vision_encoder", "fp32") is graph
