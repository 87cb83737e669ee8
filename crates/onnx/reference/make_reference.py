"""Makes the models and expected answers in this folder: scikit-learn models converted by skl2onnx, answered by ONNX Runtime.

pip install scikit-learn skl2onnx onnxruntime; python3 make_reference.py
Made with the versions named in reference.json.
"""
import json
import pathlib

import numpy as np
import onnxruntime
import skl2onnx
import sklearn
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

here = pathlib.Path(__file__).parent
rng = np.random.default_rng(7)
n = 200
x = rng.normal(size=(n, 3)).astype(np.float32)
x[:20, 0] = 0.5  # values that meet split points
word = rng.choice(["a", "b", "c"], size=n)
y = (x[:, 0] + 0.5 * x[:, 1] * x[:, 2] + (word == "b") + rng.normal(scale=0.3, size=n) > 0.3).astype(int)
labels = np.where(y == 1, "good", "bad")
three = np.digitize(x[:, 0], [-0.5, 0.5])
cases = {}


def keep(name, model, inputs, feed, options=None):
    onx = to_onnx(model, initial_types=inputs, options=options, target_opset={"": 15, "ai.onnx.ml": 3})
    data = onx.SerializeToString()
    (here / f"{name}.onnx").write_bytes(data)
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    out = dict(zip(names, session.run(names, feed)))
    plain = {k: (v if isinstance(v, list) else v.tolist()) for k, v in out.items()}
    cases[name] = {
        "inputs": {k: {"kind": "words" if v.dtype.kind in "OU" else "floats", "data": v.tolist()} for k, v in feed.items()},
        "outputs": plain,
    }


import pandas as pd

frame = pd.DataFrame({"n0": x[:, 0], "n1": x[:, 1], "word": word})
pipeline = Pipeline([
    ("encode", ColumnTransformer([("n", StandardScaler(), ["n0", "n1"]), ("w", OneHotEncoder(handle_unknown="ignore"), ["word"])])),
    ("fit", LogisticRegression()),
]).fit(frame, labels)
probe = 12
feed = {"n0": x[:probe, [0]], "n1": x[:probe, [1]], "word": np.array(list(word[: probe - 1]) + ["never seen"], dtype=object).reshape(-1, 1)}
keep("logistic_pipeline", pipeline, [("n0", FloatTensorType([None, 1])), ("n1", FloatTensorType([None, 1])), ("word", StringTensorType([None, 1]))], feed, {"zipmap": False})
flat = [("x", FloatTensorType([None, 3]))]
feed = {"x": x[:probe]}
keep("forest", RandomForestClassifier(n_estimators=7, max_depth=4, random_state=1).fit(x, labels), flat, feed)
keep("forest_three", RandomForestClassifier(n_estimators=5, max_depth=3, random_state=1).fit(x, three), flat, feed, {"zipmap": False})
keep("boosting", GradientBoostingClassifier(n_estimators=9, max_depth=3, random_state=1).fit(x, y), flat, feed, {"zipmap": False})
keep("boosting_regressor", GradientBoostingRegressor(n_estimators=9, max_depth=3, random_state=1).fit(x, x[:, 0] * 2 + x[:, 1]), flat, feed)
keep("linear_regression", LinearRegression().fit(x, x[:, 0] * 2 + x[:, 1]), flat, feed)
keep("multinomial", LogisticRegression().fit(x, three), flat, feed, {"zipmap": False})

versions = {"sklearn": sklearn.__version__, "skl2onnx": skl2onnx.__version__, "onnxruntime": onnxruntime.__version__}
(here / "reference.json").write_text(json.dumps({"versions": versions, "cases": cases}, indent=1) + "\n")
