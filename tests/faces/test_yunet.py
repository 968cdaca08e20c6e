import hashlib

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from PIL import Image

from mesoscope.download import DOWNLOADS
from mesoscope.engine import engines
from mesoscope.errors import UsageError
from mesoscope.faces import open_finder
from mesoscope.faces.boxes import without_duplicates
from mesoscope.faces.yunet import FRAME_SIDE, YuNet, decode, framed_as_dlib, to_canvas
from mesoscope.types import Box, FoundFace

# cv2.FaceDetectorYN (OpenCV 5.0.0) on the same graph and the same 512 px pictures, threshold 0.75:
# x, y, width, height, five landmarks (x, y), score
OPENCV = {
    "portrait-photo-1": [
        *(141.36, 112.01, 222.97, 336.76),
        *(185.61, 242.69, 295.86, 237.65, 234.55, 300.81, 193.09, 347.5, 299.05, 343.97),
        0.9508,
    ],
    "portrait-generated-2": [
        *(134.27, 58.38, 218.93, 310.34),
        *(182.48, 195.46, 287.78, 187.6, 234.13, 255.85, 194.95, 292.07, 293.09, 284.96),
        0.9512,
    ],
}


@pytest.fixture(scope="module")
def model(data_dir):
    path = data_dir / "yunet" / "yunet_n_dynamic.onnx"
    if not path.is_file():
        pytest.skip(f"{path} is absent")
    return path


def empty_outputs(height, width):
    cells = [(height // stride) * (width // stride) for stride in (8, 16, 32)]
    return [np.zeros((1, count, numbers), np.float32) for numbers in (1, 1, 4, 10) for count in cells]


def test_decoding_by_hand():
    outputs = empty_outputs(64, 128)
    cell = 2 * (128 // 16) + 5  # row 2, column 5 at stride 16
    outputs[1][0, cell], outputs[4][0, cell] = 0.81, 1.0
    outputs[7][0, cell] = [0.5, 0.25, np.log(2), np.log(3)]
    outputs[10][0, cell] = np.arange(10) / 10
    (face,) = decode(outputs, (64, 128), np.array([2, 3], np.float32), 0.75)
    assert face.score == pytest.approx(0.9)
    center = (5.5 * 16 * 2, 2.25 * 16 * 3)
    assert face.box.center == pytest.approx(center)
    assert (face.box.width, face.box.height) == pytest.approx((2 * 16 * 2, 3 * 16 * 3))
    assert face.landmarks is not None
    np.testing.assert_allclose(face.landmarks[0], [(5 + 0.0) * 32, (2 + 0.1) * 48], rtol=1e-6)
    np.testing.assert_allclose(face.landmarks[4], [(5 + 0.8) * 32, (2 + 0.9) * 48], rtol=1e-6)


def test_scores_under_the_threshold_are_no_faces():
    outputs = empty_outputs(64, 64)
    outputs[0][0, 3], outputs[3][0, 3] = 0.7, 0.7
    assert decode(outputs, (64, 64), np.ones(2, np.float32), 0.75) == []
    assert len(decode(outputs, (64, 64), np.ones(2, np.float32), 0.65)) == 1


def test_scores_beyond_one_are_one():
    outputs = empty_outputs(64, 64)
    outputs[0][0, 3], outputs[3][0, 3] = 1.5, 1.0
    (face,) = decode(outputs, (64, 64), np.ones(2, np.float32), 0.75)
    assert face.score == 1.0


def test_the_canvas_is_bgr_padded_at_the_right_and_at_the_bottom():
    pixels = np.zeros((100, 200, 3), np.uint8)
    pixels[...] = (10, 20, 30)
    canvas = to_canvas(pixels)
    assert canvas.shape == (1, 3, 128, 256)
    assert canvas.dtype == np.float32
    assert canvas[0, :, 99, 199].tolist() == [30, 20, 10]
    assert not canvas[0, :, 100:].any()
    assert not canvas[0, :, :, 200:].any()
    assert to_canvas(pixels, 640).shape == (1, 3, 640, 640)


def test_few_shapes_for_all_pictures(model):
    session = engines["openvino"](model, 0)
    shapes = set()

    def recorded(batch):
        shapes.add(batch.shape[2:])
        return session(batch)

    finder = YuNet(recorded)
    for height, width in [(1, 1), (90, 1500), (501, 640), (1500, 900)]:
        finder(np.full((height, width, 3), 90, np.uint8))
    assert all(side % 128 == 0 and side <= 640 for shape in shapes for side in shape)


def test_framing_is_a_square_around_the_landmarks():
    landmarks = np.array([[90, 90], [110, 90], [100, 100], [92, 110], [108, 110]], np.float32)
    framed = framed_as_dlib(FoundFace(Box(80, 50, 120, 140), 0.9, landmarks))
    assert framed.box.center == pytest.approx((100, 100))
    assert framed.box.width == pytest.approx(FRAME_SIDE * 60)
    assert framed.box.height == pytest.approx(FRAME_SIDE * 60)
    assert framed.landmarks is landmarks
    assert framed.score == 0.9


def test_framing_needs_landmarks():
    with pytest.raises(ValueError, match="landmarks"):
        framed_as_dlib(FoundFace(Box(0, 0, 10, 10), 0.9))


@pytest.mark.parametrize("name", OPENCV)
@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
def test_boxes_equal_opencvs(model, examples, name, engine):
    pixels = np.array(Image.open(examples / f"{name}.jpg").convert("RGB"))
    canvas = to_canvas(pixels)
    outputs = engines[engine](model, 0)(canvas)
    (face,) = without_duplicates(decode(outputs, canvas.shape[2:], np.ones(2, np.float32), 0.75), 0.3)
    *numbers, score = OPENCV[name]
    assert face.landmarks is not None
    # JPEG decoders differ by a grey level here and there
    found = [face.box.left, face.box.top, face.box.width, face.box.height, *face.landmarks.ravel()]
    np.testing.assert_allclose(found, numbers, atol=1.0)
    assert face.score == pytest.approx(score, abs=0.01)


def test_a_face_that_fills_the_picture(model, portrait):
    pixels = np.asarray(Image.open(portrait).convert("RGB"))[130:440, 120:360]
    finder = open_finder("yunet", model)
    assert len(finder(np.asarray(Image.fromarray(pixels).resize((960, 1240))))) == 1


def test_without_a_model_the_message_says_where_to_get_one(tmp_path, monkeypatch):
    monkeypatch.setenv("MESOSCOPE_HOME", str(tmp_path))
    with pytest.raises(UsageError, match=r"mesoscope bundle pull yunet.*--face-model FILE"):
        open_finder("yunet")
    with pytest.raises(UsageError, match=r"no file .*missing\.onnx.*bundle pull yunet"):
        open_finder("yunet", tmp_path / "missing.onnx")


def test_the_pulled_model_is_found(model, tmp_path, monkeypatch):
    monkeypatch.setenv("MESOSCOPE_HOME", str(tmp_path))
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / DOWNLOADS["yunet"].filename).symlink_to(model)
    assert open_finder("yunet").name == "yunet"


def test_the_pinned_hash_is_that_of_the_file(model):
    data = model.read_bytes()
    assert hashlib.sha256(data).hexdigest() == DOWNLOADS["yunet"].sha256
    assert len(data) == DOWNLOADS["yunet"].size


def test_a_file_that_is_no_graph_is_refused(tmp_path):
    path = tmp_path / "not.onnx"
    path.write_text("a text")
    with pytest.raises(UsageError, match="not a YuNet graph"):
        open_finder("yunet", path)


@pytest.mark.parametrize("shape", [[1, 3, "h", "w"], [1, 3, 224, 224], ["n", 10]])
def test_another_graph_is_refused(tmp_path, shape):
    tensor = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "other", tensor[:1], tensor[1:])
    path = tmp_path / "other.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    with pytest.raises(UsageError, match="cls, obj, bbox and kps"):
        open_finder("yunet", path)
