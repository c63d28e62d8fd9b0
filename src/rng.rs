//! Named random streams and samplers of our own: the same draws on every platform, with every compiler.
//!
//! A stream is ChaCha8 with the key `"GILSIM1\0"`, the seed in 8 little-endian bytes and 16 zero bytes, and with the
//! stream number FNV-1a-64 of the stream's name. A thread's streams are named `v1/process/group#member/purpose`, so
//! adding a thread or drawing for another purpose never shifts anybody's draws. Every sample takes exactly one 64-bit
//! word (inverse transform, no rejection), so the n-th draw of a stream is always its n-th word.
//!
//! The only floating point of the simulator lives here, on the `libm` crate, and ends here: samples are integers.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// Names the algorithms of this file in outputs; a change of any draw changes it.
pub const VERSION: &str = "chacha8/v1";

/// A named random stream.
#[derive(Clone, Debug)]
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// The stream called `name` under `seed`.
    pub fn new(seed: u64, name: &str) -> Stream {
        let mut key = [0; 32];
        key[..8].copy_from_slice(b"GILSIM1\0");
        key[8..16].copy_from_slice(&seed.to_le_bytes());
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream(fnv1a_64(format!("v1/{name}").as_bytes()));
        Stream(generator)
    }

    /// The next 64-bit word.
    pub fn word(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number from 0 to `bound` − 1, by multiplication and the high half. The bias is below `bound / 2^64`.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.word()) * u128::from(bound)) >> 64) as u64
    }

    /// One of several things with these cumulative weights, by its place. Takes one word.
    pub fn choose(&mut self, cumulative: &[u64]) -> usize {
        let total = *cumulative.last().expect("a choice has something to choose from");
        let drawn = self.below(total);
        cumulative.partition_point(|&sum| sum <= drawn)
    }

    /// A fraction strictly between 0 and 1: the middle of one of 2^53 equal parts.
    fn unit(&mut self) -> f64 {
        ((self.word() >> 11) as f64 + 0.5) * (1.0 / 9_007_199_254_740_992.0)
    }
}

/// A distribution of lengths, all in nanoseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Distribution {
    /// Its shape.
    pub shape: Shape,
    /// Samples below this become this.
    pub min: u64,
    /// Samples above this become this.
    pub max: u64,
}

/// The shape of a distribution.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// Every nanosecond from the first to the second, both included, equally likely.
    Uniform(u64, u64),
    /// The normal distribution with mean and standard deviation.
    Normal(u64, u64),
    /// The exponential distribution with this mean.
    Exponential(u64),
    /// One of these values, with these cumulative weights.
    Choice {
        /// The values.
        values: Vec<u64>,
        /// For each value the sum of the weights up to and including its own.
        cumulative: Vec<u64>,
    },
    /// The Pareto distribution: the smallest value, and the shape in thousandths.
    Pareto {
        /// The smallest value.
        scale: u64,
        /// The shape (tail index) in thousandths.
        shape_milli: u64,
    },
}

impl Distribution {
    /// The next sample of `stream`, in nanoseconds. Takes one word.
    pub fn sample(&self, stream: &mut Stream) -> u64 {
        let sample = match &self.shape {
            Shape::Uniform(low, high) => low + stream.below(high - low + 1),
            Shape::Normal(mean, deviation) => round(*mean as f64 + *deviation as f64 * normal_quantile(stream.unit())),
            Shape::Exponential(mean) => round(-libm::log(stream.unit()) * *mean as f64),
            Shape::Choice { values, cumulative } => values[stream.choose(cumulative)],
            Shape::Pareto { scale, shape_milli } => {
                round(*scale as f64 * libm::pow(stream.unit(), -1000.0 / *shape_milli as f64))
            }
        };
        sample.clamp(self.min, self.max)
    }
}

/// To the nearest whole nanosecond; negative samples are 0, huge ones saturate.
fn round(value: f64) -> u64 {
    libm::rint(value) as u64
}

/// FNV-1a with 64 bits.
fn fnv1a_64(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// The quantile function of the standard normal distribution: Wichura's algorithm AS 241 (PPND16), with a relative
/// accuracy of about 1e-16. M. J. Wichura, "The Percentage Points of the Normal Distribution", Applied Statistics 37 (1988).
fn normal_quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if libm::fabs(q) <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * rational(r, &CENTRE);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    let r = libm::sqrt(-libm::log(tail));
    let value = if r <= 5.0 { rational(r - 1.6, &MIDDLE) } else { rational(r - 5.0, &FAR) };
    if q < 0.0 { -value } else { value }
}

/// The quotient of two polynomials of degree 7, constant terms first.
fn rational(x: f64, (above, below): &([f64; 8], [f64; 8])) -> f64 {
    let polynomial = |terms: &[f64; 8]| terms.iter().rev().fold(0.0, |sum, term| sum * x + term);
    polynomial(above) / polynomial(below)
}

#[rustfmt::skip]
#[expect(clippy::excessive_precision, reason = "the digits as published")]
const CENTRE: ([f64; 8], [f64; 8]) = (
    [3.387_132_872_796_366_608, 133.141_667_891_784_377_45, 1_971.590_950_306_551_442_7, 13_731.693_765_509_461_125,
     45_921.953_931_549_871_457, 67_265.770_927_008_700_853, 33_430.575_583_588_128_105, 2_509.080_928_730_122_672_7],
    [1.0, 42.313_330_701_600_911_252, 687.187_007_492_057_908_3, 5_394.196_021_424_751_107_7,
     21_213.794_301_586_595_867, 39_307.895_800_092_710_61, 28_729.085_735_721_942_674, 5_226.495_278_852_854_561],
);
#[rustfmt::skip]
#[expect(clippy::excessive_precision, reason = "the digits as published")]
const MIDDLE: ([f64; 8], [f64; 8]) = (
    [1.423_437_110_749_683_577_34, 4.630_337_846_156_545_295_9, 5.769_497_221_460_691_405_5, 3.647_848_324_763_204_605_04,
     1.270_458_252_452_368_382_58, 0.241_780_725_177_450_611_77, 0.022_723_844_989_269_184_583_3, 7.745_450_142_783_414_076_4e-4],
    [1.0, 2.053_191_626_637_758_821_87, 1.676_384_830_183_803_849_4, 0.689_767_334_985_100_004_55,
     0.148_103_976_427_480_074_59, 0.015_198_666_563_616_457_196_6, 5.475_938_084_995_344_946e-4, 1.050_750_071_644_416_843_24e-9],
);
#[rustfmt::skip]
#[expect(clippy::excessive_precision, reason = "the digits as published")]
const FAR: ([f64; 8], [f64; 8]) = (
    [6.657_904_643_501_103_777_2, 5.463_784_911_164_114_369_9, 1.784_826_539_917_291_335_8, 0.296_560_571_828_504_891_23,
     0.026_532_189_526_576_123_093, 1.242_660_947_388_078_438_6e-3, 2.711_555_568_743_487_578_15e-5, 2.010_334_399_292_288_132_65e-7],
    [1.0, 0.599_832_206_555_887_937_69, 0.136_929_880_922_735_805_31, 0.014_875_361_290_850_614_852_5,
     7.868_691_311_456_132_591e-4, 1.846_318_317_510_054_681_8e-5, 1.421_511_758_316_445_888_7e-7, 2.044_263_103_389_939_785_64e-15],
);

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(shape: Shape, count: usize) -> Vec<u64> {
        let distribution = Distribution { shape, min: 0, max: u64::MAX };
        let mut stream = Stream::new(1, "test");
        (0..count).map(|_| distribution.sample(&mut stream)).collect()
    }

    fn mean(samples: &[u64]) -> f64 {
        samples.iter().map(|&sample| sample as f64).sum::<f64>() / samples.len() as f64
    }

    /// Tables of the normal distribution: the quantiles of 97.5 %, 99.9 % and 1e-10.
    #[test]
    fn normal_quantiles_agree_with_tables() {
        for (p, z) in [
            (0.5, 0.0),
            (0.975, 1.959_963_984_540_054),
            (0.999, 3.090_232_306_167_814),
            (1e-10, -6.361_340_902_404_056),
        ] {
            assert!((normal_quantile(p) - z).abs() < 1e-12, "{p}: {}", normal_quantile(p));
        }
    }

    /// Means by formula; 100,000 samples, five standard errors.
    #[test]
    fn means_agree_with_their_formulas() {
        let close = |shape, expected: f64, deviation: f64| {
            let found = mean(&samples(shape, 100_000));
            assert!((found - expected).abs() < 5.0 * deviation / 316.0, "{found} for {expected}");
        };
        close(Shape::Uniform(2_000_000, 6_000_000), 4e6, 4e6 / 12f64.sqrt());
        close(Shape::Normal(5_000_000, 1_000_000), 5e6, 1e6);
        close(Shape::Exponential(5_000_000), 5e6, 5e6);
        // 9 of 10 times 1, once 50: mean 5.9, deviation 49 · √(0.09) = 14.7.
        close(Shape::Choice { values: vec![1_000_000, 50_000_000], cumulative: vec![9, 10] }, 5.9e6, 14.7e6);
        // Pareto with shape 3: mean 1.5 scales, deviation √(3/4) scales.
        close(Shape::Pareto { scale: 1_000_000, shape_milli: 3_000 }, 1.5e6, 0.866e6);
    }

    /// Pinned words: the draws survive an upgrade of the crate, or this test says that they did not.
    #[test]
    fn golden_words() {
        let words = |seed, name| {
            let mut stream = Stream::new(seed, name);
            [stream.word(), stream.word()]
        };
        assert_eq!(words(1, "main/server#1/cpu"), GOLDEN[0]);
        assert_eq!(words(1, "main/server#2/cpu"), GOLDEN[1]);
        assert_eq!(words(2, "main/server#1/cpu"), GOLDEN[2]);
    }
    /// Computed with an independent ChaCha8 written from the specification.
    const GOLDEN: [[u64; 2]; 3] = [
        [7_580_623_422_980_838_458, 14_036_848_090_702_151_778],
        [3_884_150_169_037_832_817, 12_860_209_461_204_688_620],
        [1_871_869_089_269_452_271, 3_513_480_256_706_282_189],
    ];

    #[test]
    fn one_word_a_sample() {
        for shape in [
            Shape::Uniform(0, 9),
            Shape::Normal(5, 2),
            Shape::Exponential(3),
            Shape::Pareto { scale: 1, shape_milli: 1500 },
        ] {
            let distribution = Distribution { shape, min: 0, max: u64::MAX };
            let (mut sampled, mut plain) = (Stream::new(7, "x"), Stream::new(7, "x"));
            for _ in 0..1000 {
                distribution.sample(&mut sampled);
                plain.word();
            }
            assert_eq!(sampled.word(), plain.word());
        }
    }

    #[test]
    fn samples_are_clamped() {
        let distribution = Distribution { shape: Shape::Normal(1_000, 100_000), min: 500, max: 2_000 };
        let mut stream = Stream::new(1, "clamp");
        assert!((0..1000).all(|_| (500..=2_000).contains(&distribution.sample(&mut stream))));
    }
}
