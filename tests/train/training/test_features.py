"""Kept features: equal to what the network sees, computed once, and trained on to the same head."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the learning side needs the 'train' extra")

from safetensors.torch import load_file, save_file  # noqa: E402

from mesoscope.errors import UsageError  # noqa: E402
from mesoscope.manifest import read_manifest  # noqa: E402
from mesoscope_train.augment import Flip, Jpeg  # noqa: E402
from mesoscope_train.detectors import build_detector, parse_architecture  # noqa: E402
from mesoscope_train.errors import RecipeError  # noqa: E402
from mesoscope_train.recipes import recipe_named, settings_from  # noqa: E402
from mesoscope_train.training import features, session  # noqa: E402
from mesoscope_train.training.examples import examples_of  # noqa: E402
from mesoscope_train.training.features import HeadOnly, kept_features, pooled  # noqa: E402
from mesoscope_train.training.order import Draw  # noqa: E402
from mesoscope_train.training.pictures import Pictures  # noqa: E402

VIT = "timm:backbone=test_vit,size=64"


@pytest.fixture(scope="module", autouse=True)
def _own_home(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MESOSCOPE_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.mark.parametrize(
    "architecture",
    [VIT, "timm:backbone=test_convnext,head=bn-dense,head_units=8", "timm:backbone=test_resnet,front=npr,head=dense"],
)
def test_a_head_on_features_is_the_detector(architecture):
    torch.manual_seed(0)
    detector = build_detector(architecture).eval()
    side = parse_architecture(architecture).preprocess.size
    batch = torch.rand(3, 3, side, side)
    with torch.no_grad():
        kept = pooled(detector, batch)
        head = HeadOnly(detector).eval()
        torch.testing.assert_close(head(kept[:, :, None, None]), detector(batch))
    assert {f"top.{key}" for key in detector.top.state_dict()} == set(head.state_dict())


def test_detectors_without_such_a_head():
    with pytest.raises(UsageError, match=r"Meso4 keeps no features.*leave stages\.N\.views out"):
        HeadOnly(build_detector("meso4"))


@pytest.fixture
def pictures(tiny_manifest, tmp_path):
    def make(*augment, count=6):
        root = tmp_path / "pictures"
        if not root.exists():
            shutil.copytree(tiny_manifest.parent, root, ignore=shutil.ignore_patterns(".mesoscope"))
        part = examples_of(read_manifest(root / tiny_manifest.name).take(range(count)))
        return Pictures(part.files, part.fake, parse_architecture(VIT).preprocess, augment)

    return make


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """Function that keeps features, and tells how many pictures went through the backbone."""
    ran = []
    real = features.pooled
    monkeypatch.setattr(features, "pooled", lambda detector, batch: ran.append(len(batch)) or real(detector, batch))

    def keep(detector, pictures, views=1):
        ran.clear()
        found = kept_features(
            detector, pictures, views=views, device=torch.device("cpu"), directory=tmp_path / "kept"
        )
        return found, sum(ran)

    return keep


def test_computed_once_for_weights_preprocessing_and_picture(pictures, kept, tmp_path):
    torch.manual_seed(0)
    detector = build_detector(VIT).eval()
    plain = pictures()
    found, ran = kept(detector, plain)
    assert (ran, found.values.shape) == (6, (6, 1, 64))
    with torch.no_grad():
        expected = pooled(detector, torch.stack([plain[row][0] for row in range(6)]))
    torch.testing.assert_close(torch.from_numpy(found.values[:, 0]), expected)
    again, ran = kept(detector, plain)
    assert ran == 0
    assert (again.values == found.values).all()
    assert kept(detector, pictures(count=8))[1] == 2, "a larger set: the new pictures only"
    shutil.copy(plain.files[0], plain.files[1])
    assert kept(detector, plain)[1] == 0, "a picture is known by its bytes"
    plain.files[2].write_bytes(plain.files[2].read_bytes() + b"\0")
    assert kept(detector, plain)[1] == 1
    changed = Pictures(plain.files, plain.fake, plain.spec.model_copy(update={"resize": "nearest"}))
    assert kept(detector, changed)[1] == 5, "six rows, two of them one picture"
    detector.backbone.norm.bias.data += 1
    assert kept(detector, plain)[1] == 5
    assert kept(build_detector(f"{VIT},front=srm"), plain)[1] == 5


def test_views_are_fixed_and_the_first_is_the_picture_as_it_is(pictures, kept):
    detector = build_detector(VIT).eval()
    first, ran = kept(detector, pictures(Flip(), Jpeg()), views=3)
    assert ran == 18
    assert len({first.values[0, view].tobytes() for view in range(3)}) == 3
    assert (kept(detector, pictures())[0].values[:, 0] == first.values[:, 0]).all()
    again, ran = kept(detector, pictures(Flip(), Jpeg()), views=4)
    assert ran == 6, "one view more"
    assert (again.values[:, :3] == first.values).all()
    assert kept(detector, pictures(Jpeg()), views=2)[1] == 6, "other augmentation, other views; the plain one stays"
    values, label, row = first[3]
    assert (values[:, 0, 0].numpy() == first.values[3, 0]).all()
    assert (values.shape, label, row) == ((64, 1, 1), 1.0, 3)
    picked = {first[Draw(2, (0, 0, chance))][0].numpy().tobytes() for chance in range(20)}
    assert picked == {first.values[2, view].tobytes() for view in range(3)}


def test_damaged_features_are_computed_anew(pictures, kept, tmp_path):
    detector = build_detector(VIT).eval()
    found, _ = kept(detector, pictures())
    (file,) = (tmp_path / "kept").rglob("*.npz")
    file.write_bytes(file.read_bytes()[:100])
    again, ran = kept(detector, pictures())
    assert ran == 6
    assert (again.values == found.values).all()


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    torch.manual_seed(3)
    path = tmp_path_factory.mktemp("weights") / "vit.safetensors"
    save_file(build_detector(VIT).backbone.state_dict(), path)
    return path


def run_of(manifest, weights, out, *settings):
    base = recipe_named("foundation:dino-linear")
    small = ["loop.batch_size=8", "loop.accelerator=cpu", "data.workers=0", "augment=[]", f"model.detector='{VIT}'"]
    given = [*small, f"data.manifests=['{manifest}']", f"model.weights='{weights}'", *settings]
    return session.start(settings_from(base, None, given), out)


HEAD = "name: head, train: head, epochs: 2, optimiser: {learning_rate: 0.01}"


def test_kept_features_train_the_same_head(tiny_manifest, weights, tmp_path):
    """Without augmentation one view is all there is: the backbone may as well run at every step."""
    slow = run_of(tiny_manifest, weights, tmp_path / "slow", f"stages=[{{{HEAD}}}]")
    fast = run_of(tiny_manifest, weights, tmp_path / "fast", f"stages=[{{{HEAD}, views: 1}}]")
    ours, theirs = load_file(fast.weights_file), load_file(slow.weights_file)
    assert ours.keys() == theirs.keys()
    for key, value in theirs.items():
        torch.testing.assert_close(ours[key], value, rtol=1e-4, atol=1e-5)
    assert not torch.equal(ours["top.output.weight"], build_detector(VIT).state_dict()["top.output.weight"])
    assert fast.facts("result")["parameters"] == slow.facts("result")["parameters"]


def test_stages_of_tuning_follow_each_other_and_end_plain(tiny_manifest, weights, tmp_path):
    stages = f"stages=[{{{HEAD}, views: 2}}, {{name: norms, train: norms, epochs: 1}}, "
    stages += "{name: low-rank, train: low-rank, rank: 2, epochs: 1, optimiser: {learning_rate: 0.01}}]"
    run = run_of(tiny_manifest, weights, tmp_path / "run", stages, "augment=[{kind: flip}]", "loop.ema=0.5")
    head, norms, low = (
        load_file(run.stage(number, name) / "model.safetensors")
        for number, name in enumerate(("head", "norms", "low-rank"), start=1)
    )

    def moved(one, other):
        return {key for key in one if key.startswith("backbone") and not torch.equal(one[key], other[key])}

    assert head.keys() == norms.keys() == low.keys()
    assert moved(head, norms)
    assert all("norm" in key for key in moved(head, norms))
    assert moved(norms, low)
    assert all(".attn." in key and key.endswith("weight") for key in moved(norms, low))
    detector = build_detector(VIT)
    detector.load_state_dict(load_file(run.weights_file))
    # the last stage's checkpoint is of a network with residuals, and can be gone on with
    (run.stage(3, "low-rank") / "model.safetensors").unlink()
    run.result_file.unlink()
    session.resume(run.path)
    again = load_file(run.stage(3, "low-rank") / "model.safetensors")
    assert all(torch.equal(again[key], value) for key, value in low.items())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["stages.0.train=all"], "it needs train: head"),
        (["blend={}"], "blended ones are new at every step"),
        (["loop.devices=2"], "which takes one process"),
        (["stages.0.views=0"], r"stages\.0\.views"),
    ],
)
def test_what_views_do_not_go_with(settings, message):
    with pytest.raises(RecipeError, match=message):
        settings_from(recipe_named("foundation"), None, settings)
