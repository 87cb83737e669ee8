//! The distributions behind the p-values.

/// ln Γ(x) for x > 0, by Lanczos' approximation (g = 7, 9 terms; relative error below 1e-14).
pub fn ln_gamma(x: f64) -> f64 {
    const C: [f64; 9] = [
        0.999_999_999_999_809_9,
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    if x < 0.5 {
        return (std::f64::consts::PI / (std::f64::consts::PI * x).sin()).ln() - ln_gamma(1.0 - x);
    }
    let x = x - 1.0;
    let t = x + 7.5;
    let sum = C[1..].iter().enumerate().fold(C[0], |sum, (n, c)| sum + c / (x + n as f64 + 1.0));
    0.5 * (2.0 * std::f64::consts::PI).ln() + (x + 0.5) * t.ln() - t + sum.ln()
}

/// P(chi-square with `freedom` degrees > `statistic`): the regularised upper incomplete gamma function.
pub fn chi_square_tail(statistic: f64, freedom: f64) -> f64 {
    if statistic <= 0.0 || freedom <= 0.0 {
        return 1.0;
    }
    let (a, x) = (freedom / 2.0, statistic / 2.0);
    let front = a * x.ln() - x - ln_gamma(a);
    if x < a + 1.0 {
        // The series of the lower function.
        let (mut term, mut sum, mut n) = (1.0 / a, 1.0 / a, a);
        for _ in 0..10_000 {
            n += 1.0;
            term *= x / n;
            sum += term;
            if term < sum * 1e-17 {
                break;
            }
        }
        return (1.0 - sum * front.exp()).clamp(0.0, 1.0);
    }
    // Lentz's continued fraction of the upper function.
    let tiny = 1e-300;
    let mut b = x + 1.0 - a;
    let (mut c, mut d) = (1.0 / tiny, 1.0 / b);
    let mut h = d;
    for n in 1..10_000 {
        let an = -f64::from(n) * (f64::from(n) - a);
        b += 2.0;
        d = an * d + b;
        d = 1.0 / if d.abs() < tiny { tiny } else { d };
        c = b + an / c;
        c = if c.abs() < tiny { tiny } else { c };
        let delta = d * c;
        h *= delta;
        if (delta - 1.0).abs() < 1e-16 {
            break;
        }
    }
    (front + h.ln()).exp()
}

/// The chi-square value that is exceeded with probability `tail`, by bisection.
pub fn chi_square_quantile(tail: f64, freedom: f64) -> f64 {
    let (mut low, mut high) = (0.0, 10.0 * freedom + 1_000.0);
    while high - low > f64::EPSILON * high {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            break;
        }
        if chi_square_tail(middle, freedom) > tail { low = middle } else { high = middle }
    }
    (low + high) / 2.0
}
