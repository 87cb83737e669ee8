//! The distribution of the one-sample Kolmogorov-Smirnov statistic, to the limits of double precision.
//!
//! SciPy takes it for two large samples, at the rounded effective size `n m / (n + m)`. Which method is used where
//! follows Simard and L'Ecuyer (2011), "Computing the two-sided Kolmogorov-Smirnov distribution", as SciPy's `kstwo`
//! does: Durbin's matrix (1968) for small distances, Pelz and Good's expansion (1976) for large samples, and twice
//! Smirnov's one-sided sum in the tail.

use crate::special::ln_gamma;
use std::f64::consts::PI;

/// P(D >= `distance`) for a sample of `n`.
pub fn tail(n: u64, distance: f64) -> f64 {
    let (size, x) = (n as f64, distance);
    let t = size * x;
    if n == 0 || x <= 0.0 || t <= 0.5 {
        return 1.0;
    }
    if x >= 1.0 {
        return 0.0;
    }
    let tail = if t <= 1.0 {
        // Ruben and Gambino: n! (2x - 1/n)^n.
        1.0 - (ln_factorial_over_power(size) + size * (2.0 * t - 1.0).ln()).exp()
    } else if t >= size - 1.0 {
        2.0 * (1.0 - x).powf(size)
    } else if x >= 0.5 || t * x > if n <= 140 { 4.0 } else { 2.2 } {
        2.0 * one_sided(n, x)
    } else if n <= 140 || (n <= 100_000 && size * x.powf(1.5) <= 1.4) {
        1.0 - durbin(n, x)
    } else {
        1.0 - pelz_good(size, x)
    };
    tail.clamp(0.0, 1.0)
}

/// `ln(n! / n^n)`, by Stirling's series with the large terms taken out beforehand.
fn ln_factorial_over_power(n: f64) -> f64 {
    0.5 * (2.0 * PI * n).ln() - n + stirling_error(n)
}

/// `ln n! - ((n + 1/2) ln n - n + ln(2 pi) / 2)`.
fn stirling_error(n: f64) -> f64 {
    if n < 16.0 {
        return ln_gamma(n + 1.0) - (n + 0.5) * n.ln() + n - 0.5 * (2.0 * PI).ln();
    }
    let r = 1.0 / (n * n);
    (1.0 / 12.0 - r * (1.0 / 360.0 - r * (1.0 / 1260.0 - r * (1.0 / 1680.0 - r / 1188.0)))) / n
}

/// Smirnov's sum `x sum C(n, j) (x + j/n)^(j-1) (1 - x - j/n)^(n-j)`. Each term is a binomial probability, computed as
/// Loader (2000) does, so that large numbers never meet; all are positive.
fn one_sided(n: u64, x: f64) -> f64 {
    let size = n as f64;
    let last = (size * (1.0 - x)).floor() as u64;
    let shift = size * x;
    let term = |j: u64| {
        let (up, down) = (j as f64, size - j as f64);
        if down <= shift {
            return 0.0;
        }
        let exponent = stirling_error(size)
            - stirling_error(up)
            - stirling_error(down)
            - deviance(up, up + shift)
            - deviance(down, down - shift);
        exponent.exp() * (size / (2.0 * PI * up * down)).sqrt() * shift / (up + shift)
    };
    (1.0 - x).powf(size) + (1..=last.min(n - 1)).map(term).sum::<f64>()
}

/// `a ln(a / b) + b - a`, without cancellation where both are close.
fn deviance(a: f64, b: f64) -> f64 {
    if (a - b).abs() >= 0.1 * (a + b) {
        return a * (a / b).ln() + b - a;
    }
    let v = (a - b) / (a + b);
    let (mut sum, mut power) = ((a - b) * v, 2.0 * a * v);
    for odd in (3..1_000).step_by(2) {
        power *= v * v;
        let next = sum + power / f64::from(odd);
        if (next - sum).abs() <= 0.0 {
            break;
        }
        sum = next;
    }
    sum
}

/// 2^128: what grows beyond it is scaled down, and the scale kept apart.
const STEP: f64 = 340_282_366_920_938_463_463_374_607_431_768_211_456.0;

/// P(D <= x): an entry of a power of Durbin's matrix, as Marsaglia, Tsang and Wang (2003) have it.
fn durbin(n: u64, x: f64) -> f64 {
    let nd = n as f64 * x;
    let k = nd.ceil() as usize;
    let mut base = durbin_matrix(2 * k - 1, k as f64 - nd);
    let (mut power, mut scale, mut base_scale) = (None::<Matrix>, 0i32, 0i32);
    let mut left = n;
    while left > 0 {
        if left % 2 == 1 {
            power = Some(power.map_or_else(|| base.clone(), |power| power.times(&base)));
            scale += base_scale;
        }
        base = base.times(&base);
        base_scale *= 2;
        if base.at(k - 1, k - 1) > STEP {
            base.cells.iter_mut().for_each(|cell| *cell /= STEP);
            base_scale += 1;
        }
        left /= 2;
    }
    let mut p = power.map_or(1.0, |power| power.at(k - 1, k - 1));
    for i in 1..=n {
        p *= i as f64 / n as f64;
        if p < 1.0 / STEP {
            p *= STEP;
            scale -= 1;
        }
    }
    p * STEP.powi(scale)
}

fn durbin_matrix(size: usize, h: f64) -> Matrix {
    // 1/j! may become 0, which does no harm.
    let inverse: Vec<f64> = (1..=size)
        .scan(1.0, |inverse, j| {
            *inverse /= j as f64;
            Some(*inverse)
        })
        .collect();
    let mut edge: Vec<f64> =
        inverse.iter().zip(1i32..).map(|(inverse, j)| (1.0 - h.powi(j)) * inverse).collect();
    let all = i32::try_from(size).unwrap_or(i32::MAX);
    if let (Some(corner), Some(inverse)) = (edge.last_mut(), inverse.last()) {
        *corner = (1.0 - 2.0 * h.powi(all) + (2.0 * h - 1.0).max(0.0).powi(all)) * inverse;
    }
    let mut matrix = Matrix { size, cells: vec![0.0; size * size] };
    for row in 0..size {
        for column in 0..size {
            matrix.cells[row * size + column] = if column == 0 {
                edge[row]
            } else if row == size - 1 {
                edge[size - 1 - column]
            } else {
                match (row + 1).checked_sub(column) {
                    Some(0) => 1.0,
                    Some(distance) => inverse[distance - 1],
                    None => 0.0,
                }
            };
        }
    }
    matrix
}

/// A square of numbers, row by row.
#[derive(Clone)]
struct Matrix {
    size: usize,
    cells: Vec<f64>,
}

impl Matrix {
    fn at(&self, row: usize, column: usize) -> f64 {
        self.cells[row * self.size + column]
    }

    fn times(&self, other: &Self) -> Self {
        let mut cells = vec![0.0; self.cells.len()];
        for (row, out) in cells.chunks_exact_mut(self.size).enumerate() {
            for (inner, line) in other.cells.chunks_exact(self.size).enumerate() {
                let factor = self.at(row, inner);
                out.iter_mut().zip(line).for_each(|(out, cell)| *out += factor * cell);
            }
        }
        Self { size: self.size, cells }
    }
}

/// P(D <= x) by Pelz and Good: four terms in powers of `1/sqrt(n)`, each a theta series in `z = x sqrt(n)`.
fn pelz_good(n: f64, x: f64) -> f64 {
    let z = n.sqrt() * x;
    let (z2, p2) = (z * z, PI * PI);
    let (z4, z6, p4) = (z2 * z2, z2 * z2 * z2, p2 * p2);
    let log = -p2 / (8.0 * z2);
    let terms = (16.0 * z / PI).ceil() as u32;
    let mut sums = [0.0; 4];
    for k in (1..=terms).rev() {
        let odd = f64::from(2 * k - 1);
        let (m2, m4) = (odd * odd, odd.powi(4));
        let weight = (log * m2).exp();
        sums[0] += weight;
        sums[1] += weight * (-z2 + p2 / 4.0 * m2);
        sums[2] += weight
            * (6.0 * z6
                + 2.0 * z4
                + (2.0 * z4 - 5.0 * z2) * p2 / 4.0 * m2
                + p4 * (1.0 - 2.0 * z2) / 16.0 * m4);
        sums[3] += weight
            * (-30.0 * z6 - 90.0 * z4 * z4
                + p2 * (135.0 * z4 - 96.0 * z6) / 4.0 * m2
                + p4 * (212.0 * z4 - 60.0 * z2) / 16.0 * m4
                + p4 * p2 * (5.0 - 30.0 * z2) / 64.0 * m4 * m2);
    }
    let root = (2.0 * PI).sqrt();
    let mut parts = [
        sums[0] * root / z,
        sums[1] * root / (6.0 * z4),
        sums[2] * root / (72.0 * z6 * z),
        sums[3] * root / (6480.0 * z6 * z4),
    ];
    for k in (1..=terms).rev() {
        let k2 = f64::from(k) * f64::from(k);
        let weight = k2 * (-p2 / (2.0 * z2) * k2).exp();
        parts[2] -= p2 * root / (36.0 * z2 * z) * weight;
        parts[3] += p2 * root / (216.0 * z6) * (3.0 * z2 - p2 * k2) * weight;
    }
    parts[0] + parts[1] / n.sqrt() + parts[2] / n + parts[3] / (n * n.sqrt())
}

#[cfg(test)]
mod tests {
    //! Goal: the methods agree where one hands over to another. Method: both sides of each border. The numbers
    //! themselves are held against SciPy in `tests/reference.rs`.
    use super::*;

    #[test]
    fn the_methods_agree_where_they_meet() {
        let close = |name: &str, a: f64, b: f64| assert!((a - b).abs() < 1e-7, "{name}: {a} is not {b}");
        close("durbin and the sum", 1.0 - durbin(140, 0.16), 2.0 * one_sided(140, 0.16));
        close("pelz_good and the sum", 1.0 - pelz_good(5000.0, 0.025), 2.0 * one_sided(5000, 0.025));
        close("durbin and pelz_good", durbin(2000, 0.0078), pelz_good(2000.0, 0.0078));
        assert_eq!((tail(0, 0.3), tail(10, 0.0), tail(10, 1.0), tail(10, 0.05)), (1.0, 1.0, 0.0, 1.0));
    }
}
