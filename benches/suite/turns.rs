//! Taking turns: contestants are sampled one after the other in each round, and what is compared
//! are samples of one round, so that a machine that changes from minute to minute changes both.

use crate::load::Sample;
use crate::machine::Machine;
use serde::Serialize;

/// One contestant, by how it is sampled.
pub struct Turn<'a> {
    pub name: &'static str,
    pub sample: Box<dyn FnMut() -> Sample + 'a>,
}

impl<'a> Turn<'a> {
    pub fn new(name: &'static str, sample: impl FnMut() -> Sample + 'a) -> Self {
        Self { name, sample: Box::new(sample) }
    }
}

/// The samples of all rounds that count.
pub struct Rounds {
    names: Vec<&'static str>,
    rounds: Vec<Vec<Sample>>,
}

/// The median of several values, and the smallest and the largest.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Spread {
    pub median: f64,
    pub low: f64,
    pub high: f64,
}

impl Spread {
    pub fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let count = values.len();
        let median = f64::midpoint(values[(count - 1) / 2], values[count / 2]);
        Self { median, low: values[0], high: values[count - 1] }
    }
}

/// Samples all contestants in each round, every other time in reverse. Rounds in which the machine
/// was not at its usual speed are taken again, but at most as many as there should be; if fewer
/// than half of what was asked for is clean, all are taken as they are.
pub fn take(machine: &mut Machine, rounds: usize, turns: &mut [Turn<'_>]) -> Rounds {
    let names = turns.iter().map(|turn| turn.name).collect();
    let mut all: Vec<Vec<Sample>> = Vec::new();
    let clean = |all: &[Vec<Sample>]| {
        all.iter().filter(|round| round.iter().all(|sample| sample.is_clean)).count()
    };
    let mut was_clean = machine.is_clean();
    while clean(&all) < rounds && all.len() < rounds * 2 {
        let mut order: Vec<usize> = (0..turns.len()).collect();
        if all.len() % 2 == 1 {
            order.reverse();
        }
        let mut samples: Vec<Option<Sample>> = turns.iter().map(|_| None).collect();
        for at in order {
            let mut sample = (turns[at].sample)();
            let is_clean = machine.is_clean();
            sample.is_clean = was_clean && is_clean;
            was_clean = is_clean;
            samples[at] = Some(sample);
        }
        all.push(samples.into_iter().map(Option::unwrap).collect());
    }
    if clean(&all) * 2 >= rounds {
        all.retain(|round| round.iter().all(|sample| sample.is_clean));
    }
    Rounds { names, rounds: all }
}

impl Rounds {
    fn at(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| *known == name)
    }

    /// The samples of one contestant.
    pub fn samples(&self, name: &str) -> impl Iterator<Item = &Sample> {
        let at = self.at(name);
        self.rounds.iter().filter_map(move |round| round.get(at?))
    }

    /// A figure of one contestant over the rounds; none without that contestant.
    pub fn spread(&self, name: &str, of: impl Fn(&Sample) -> f64) -> Option<Spread> {
        self.at(name)?;
        Some(Spread::of(self.samples(name).map(of).collect()))
    }

    /// The ratio of a figure of two contestants, round by round; none where one was not there.
    pub fn ratio(&self, name: &str, to: &str, of: impl Fn(&Sample) -> f64) -> Option<Spread> {
        let (one, other) = (self.at(name)?, self.at(to)?);
        let ratio = |round: &Vec<Sample>| of(&round[one]) / of(&round[other]);
        Some(Spread::of(self.rounds.iter().map(ratio).collect()))
    }

    pub fn names(&self) -> &[&'static str] {
        &self.names
    }

    /// Whether the machine was at its usual speed in all rounds.
    pub fn is_clean(&self) -> bool {
        self.rounds.iter().flatten().all(|sample| sample.is_clean)
    }
}
