//! The operators by name, and the small ones among them.

use crate::attributes::{Attributes, Labels};
use crate::linear::{self, logistic, softmax};
use crate::tensor::{Tensor, Value};
use crate::tree;
use std::collections::BTreeMap;

/// What a node computes: attributes and inputs to outputs.
pub(crate) type Operator = fn(&Attributes<'_>, &[&Value]) -> Result<Vec<Value>, String>;

/// All operators.
pub(crate) const OPERATORS: &[(&str, Operator)] = &[
    ("ArrayFeatureExtractor", |_, inputs| gather(inputs)),
    ("Add", |_, inputs| arithmetic(inputs, |a, b| a + b)),
    ("ArgMax", |_, inputs| arg_max(inputs)),
    ("Cast", cast),
    ("Concat", |_, inputs| concat(inputs)),
    ("Div", |_, inputs| arithmetic(inputs, |a, b| a / b)),
    ("FeatureVectorizer", |_, inputs| concat(inputs)),
    ("Gather", gather_columns),
    ("Identity", |_, inputs| Ok(vec![first(inputs)?.clone()])),
    ("Imputer", imputer),
    ("LabelEncoder", label_encoder),
    ("LinearClassifier", |attributes, inputs| linear::classify(attributes, first(inputs)?)),
    ("LinearRegressor", |attributes, inputs| linear::regress(attributes, first(inputs)?)),
    ("Mul", |_, inputs| arithmetic(inputs, |a, b| a * b)),
    ("Normalizer", normalizer),
    ("OneHotEncoder", one_hot),
    ("Reshape", |_, inputs| Ok(vec![first(inputs)?.clone()])),
    ("Scaler", scaler),
    ("Sigmoid", |_, inputs| map(inputs, logistic)),
    ("Softmax", soft_max),
    ("Sub", |_, inputs| arithmetic(inputs, |a, b| a - b)),
    ("TreeEnsembleClassifier", |attributes, inputs| tree::classify(attributes, first(inputs)?)),
    ("TreeEnsembleRegressor", |attributes, inputs| tree::regress(attributes, first(inputs)?)),
    ("ZipMap", zip_map),
];

fn first<'a>(inputs: &[&'a Value]) -> Result<&'a Value, String> {
    inputs.first().copied().ok_or_else(|| "it has no input".to_owned())
}

fn one(tensor: Tensor<f32>) -> Result<Vec<Value>, String> {
    Ok(vec![Value::Floats(tensor)])
}

fn map(inputs: &[&Value], f: fn(f32) -> f32) -> Result<Vec<Value>, String> {
    let tensor = first(inputs)?.floats()?;
    one(Tensor::new(tensor.data.into_iter().map(f).collect(), tensor.width))
}

/// With the second input as it is, as one row for all, or as one number for all.
fn arithmetic(inputs: &[&Value], f: fn(f32, f32) -> f32) -> Result<Vec<Value>, String> {
    let [a, b] = inputs else { return Err("it needs two inputs".to_owned()) };
    let (a, b) = (a.floats()?, b.floats()?);
    let same = a.data.len() == b.data.len();
    let count = b.data.len();
    if !same && count != 1 && count != a.width {
        return Err(format!("{count} numbers do not fit rows of {}", a.width));
    }
    let other = |at: usize| if same { b.data[at] } else { b.data[at % count] };
    one(Tensor::new(a.data.iter().enumerate().map(|(at, x)| f(*x, other(at))).collect(), a.width))
}

fn gather_columns(attributes: &Attributes<'_>, inputs: &[&Value]) -> Result<Vec<Value>, String> {
    if matches!(attributes.int("axis", 0), 1 | -1) {
        gather(inputs)
    } else {
        Err("only columns can be gathered (axis 1)".to_owned())
    }
}

/// Some columns of a matrix, by their places.
fn gather(inputs: &[&Value]) -> Result<Vec<Value>, String> {
    let [matrix, Value::Ints(places)] = inputs else {
        return Err("it needs a matrix and whole numbers".to_owned());
    };
    let places: Vec<usize> = places
        .data
        .iter()
        .map(|place| usize::try_from(*place).map_err(|_| format!("there is no column {place}")))
        .collect::<Result<_, _>>()?;
    Ok(vec![match matrix {
        Value::Floats(tensor) => Value::Floats(columns(tensor, &places)?),
        Value::Ints(tensor) => Value::Ints(columns(tensor, &places)?),
        Value::Words(tensor) => Value::Words(columns(tensor, &places)?),
        Value::Maps(_) => return Err("maps have no columns".to_owned()),
    }])
}

fn columns<T: Clone>(tensor: &Tensor<T>, places: &[usize]) -> Result<Tensor<T>, String> {
    if let Some(place) = places.iter().find(|place| **place >= tensor.width) {
        return Err(format!("there is no column {place}; there are {}", tensor.width));
    }
    let data =
        tensor.rows().flat_map(|row| places.iter().filter_map(|place| row.get(*place).cloned())).collect();
    Ok(Tensor::new(data, places.len()))
}

/// Words side by side, if all inputs are words.
fn concat_words(inputs: &[&Value]) -> Option<Vec<Value>> {
    let words: Vec<&Tensor<String>> = inputs
        .iter()
        .map(|value| if let Value::Words(words) = value { Some(words) } else { None })
        .collect::<Option<_>>()?;
    let height = words.first()?.height();
    if words.iter().any(|tensor| tensor.height() != height) {
        return None;
    }
    let data = (0..height)
        .flat_map(|row| {
            words.iter().flat_map(move |t| t.data[row * t.width..(row + 1) * t.width].iter().cloned())
        })
        .collect();
    Some(vec![Value::Words(Tensor::new(data, words.iter().map(|tensor| tensor.width).sum()))])
}

fn concat(inputs: &[&Value]) -> Result<Vec<Value>, String> {
    if let Some(words) = concat_words(inputs) {
        return Ok(words);
    }
    let tensors: Vec<Tensor<f32>> = inputs.iter().map(|value| value.floats()).collect::<Result<_, _>>()?;
    let height = tensors.first().map_or(0, Tensor::height);
    if tensors.iter().any(|tensor| tensor.height() != height) {
        return Err("its inputs have different numbers of rows".to_owned());
    }
    let width = tensors.iter().map(|tensor| tensor.width).sum();
    let mut data = Vec::with_capacity(width * height);
    for row in 0..height {
        for tensor in &tensors {
            data.extend_from_slice(&tensor.data[row * tensor.width..(row + 1) * tensor.width]);
        }
    }
    one(Tensor::new(data, width))
}

fn cast(attributes: &Attributes<'_>, inputs: &[&Value]) -> Result<Vec<Value>, String> {
    use crate::proto::{FLOAT, INT64, STRING};
    let value = first(inputs)?;
    let to = i32::try_from(attributes.int("to", 0)).unwrap_or(0);
    Ok(vec![match (value, to) {
        (Value::Words(words), FLOAT) => {
            let numbers =
                words.data.iter().map(|word| word.parse().map_err(|_| format!("`{word}` is not a number")));
            Value::Floats(Tensor::new(numbers.collect::<Result<_, _>>()?, words.width))
        }
        (_, FLOAT) => Value::Floats(value.floats()?),
        (Value::Ints(_), INT64) | (Value::Words(_), STRING) => value.clone(),
        (Value::Floats(numbers), INT64) => {
            Value::Ints(Tensor::new(numbers.data.iter().map(|x| *x as i64).collect(), numbers.width))
        }
        (Value::Ints(ints), STRING) => {
            Value::Words(Tensor::new(ints.data.iter().map(i64::to_string).collect(), ints.width))
        }
        _ => return Err(format!("this cast (to type {to}) is not supported")),
    }])
}

fn arg_max(inputs: &[&Value]) -> Result<Vec<Value>, String> {
    let tensor = first(inputs)?.floats()?;
    Ok(vec![Value::Ints(Tensor::new(tensor.rows().map(|row| linear::largest(row) as i64).collect(), 1))])
}

fn soft_max(_: &Attributes<'_>, inputs: &[&Value]) -> Result<Vec<Value>, String> {
    let mut tensor = first(inputs)?.floats()?;
    let width = tensor.width;
    tensor.data.chunks_mut(width).for_each(|row| softmax(row, |_| true));
    one(tensor)
}

fn scaler(attributes: &Attributes<'_>, inputs: &[&Value]) -> Result<Vec<Value>, String> {
    let tensor = first(inputs)?.floats()?;
    let (offset, scale) = (attributes.floats("offset"), attributes.floats("scale"));
    let fits = |list: &[f32]| list.len() == 1 || list.len() == tensor.width;
    if !fits(&offset) || !fits(&scale) {
        return Err(format!("its offsets and scales do not fit {} features", tensor.width));
    }
    let at = |list: &[f32], n: usize| list[n % tensor.width % list.len()];
    let data = tensor.data.iter().enumerate().map(|(n, x)| (x - at(&offset, n)) * at(&scale, n)).collect();
    one(Tensor::new(data, tensor.width))
}

fn imputer(attributes: &Attributes<'_>, inputs: &[&Value]) -> Result<Vec<Value>, String> {
    let tensor = first(inputs)?.floats()?;
    let fill = attributes.floats("imputed_value_floats");
    let missing = attributes.float("replaced_value_float", f32::NAN);
    if fill.len() != 1 && fill.len() != tensor.width {
        return Err(format!("its values do not fit {} features", tensor.width));
    }
    let is_missing = |x: f32| if missing.is_nan() { x.is_nan() } else { x.total_cmp(&missing).is_eq() };
    let value = |(n, x): (usize, &f32)| if is_missing(*x) { fill[n % tensor.width % fill.len()] } else { *x };
    one(Tensor::new(tensor.data.iter().enumerate().map(value).collect(), tensor.width))
}

fn normalizer(attributes: &Attributes<'_>, inputs: &[&Value]) -> Result<Vec<Value>, String> {
    let mut tensor = first(inputs)?.floats()?;
    let norm: fn(&[f32]) -> f32 = match attributes.word("norm", "MAX").as_str() {
        "MAX" => |row| row.iter().copied().fold(f32::NEG_INFINITY, f32::max),
        "L1" => |row| row.iter().map(|x| x.abs()).sum(),
        "L2" => |row| row.iter().map(|x| x * x).sum::<f32>().sqrt(),
        other => return Err(format!("the norm `{other}` is not known")),
    };
    let width = tensor.width;
    for row in tensor.data.chunks_mut(width) {
        let length = norm(row);
        if length != 0.0 {
            row.iter_mut().for_each(|x| *x /= length);
        }
    }
    one(tensor)
}

fn one_hot(attributes: &Attributes<'_>, inputs: &[&Value]) -> Result<Vec<Value>, String> {
    let (words, ints) = (attributes.words("cats_strings"), attributes.ints("cats_int64s"));
    let zeros = attributes.int("zeros", 1) != 0;
    let value = first(inputs)?;
    let count = words.len().max(ints.len());
    let cells: Vec<Option<usize>> = match value {
        Value::Words(tensor) => {
            tensor.data.iter().map(|cell| words.iter().position(|word| word == cell)).collect()
        }
        Value::Ints(tensor) => {
            tensor.data.iter().map(|cell| ints.iter().position(|int| int == cell)).collect()
        }
        Value::Floats(tensor) => {
            tensor.data.iter().map(|cell| ints.iter().position(|int| *int == *cell as i64)).collect()
        }
        Value::Maps(_) => return Err("maps cannot be one-hot encoded".to_owned()),
    };
    let width = match value {
        Value::Words(tensor) => tensor.width,
        Value::Ints(tensor) => tensor.width,
        Value::Floats(tensor) => tensor.width,
        Value::Maps(_) => 1,
    };
    let mut data = vec![0.0; cells.len() * count];
    for (at, cell) in cells.iter().enumerate() {
        match cell {
            Some(place) => data[at * count + place] = 1.0,
            None if zeros => {}
            None => return Err("a category is not known, and the model does not allow that".to_owned()),
        }
    }
    one(Tensor::new(data, count * width))
}

fn label_encoder(attributes: &Attributes<'_>, inputs: &[&Value]) -> Result<Vec<Value>, String> {
    let value = first(inputs)?;
    let keys = match value {
        Value::Words(_) => attributes.words("keys_strings"),
        _ => attributes.ints("keys_int64s").iter().map(i64::to_string).collect(),
    };
    let cells: Vec<String> = match value {
        Value::Words(tensor) => tensor.data.clone(),
        Value::Ints(tensor) => tensor.data.iter().map(i64::to_string).collect(),
        _ => return Err("only words and integers can be encoded as labels".to_owned()),
    };
    let place = |cell: &String| keys.iter().position(|key| key == cell);
    let (words, ints, floats) = (
        attributes.words("values_strings"),
        attributes.ints("values_int64s"),
        attributes.floats("values_floats"),
    );
    let pick = |count: usize, cell: &String| place(cell).filter(|at| *at < count);
    Ok(vec![if !words.is_empty() {
        let default = attributes.word("default_string", "_Unused");
        Value::Words(Tensor::new(
            cells
                .iter()
                .map(|c| pick(words.len(), c).map_or(default.clone(), |at| words[at].clone()))
                .collect(),
            1,
        ))
    } else if !ints.is_empty() {
        let default = attributes.int("default_int64", -1);
        Value::Ints(Tensor::new(
            cells.iter().map(|c| pick(ints.len(), c).map_or(default, |at| ints[at])).collect(),
            1,
        ))
    } else {
        let default = attributes.float("default_float", -0.0);
        Value::Floats(Tensor::new(
            cells.iter().map(|c| pick(floats.len(), c).map_or(default, |at| floats[at])).collect(),
            1,
        ))
    }])
}

fn zip_map(attributes: &Attributes<'_>, inputs: &[&Value]) -> Result<Vec<Value>, String> {
    let labels = Labels::of(attributes, "classlabels_strings", "classlabels_int64s")?;
    let tensor = first(inputs)?.floats()?;
    if tensor.width != labels.len() {
        return Err(format!("{} labels do not fit rows of {}", labels.len(), tensor.width));
    }
    let zip =
        |row: &[f32]| row.iter().enumerate().map(|(at, x)| (labels.text(at), *x)).collect::<BTreeMap<_, _>>();
    Ok(vec![Value::Maps(tensor.rows().map(zip).collect())])
}
