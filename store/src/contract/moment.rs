//! Moments that a suspended machine does not stop.

use std::ops::Add;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// A moment on this machine's clock since its start, which also counts while the machine is suspended (`CLOCK_BOOTTIME`;
/// `std::time::Instant` stands still then). What is compared with leases is measured with it: they run out in the store,
/// whether this machine sleeps or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(Duration);

impl Moment {
    /// Now.
    pub fn now() -> Moment {
        let time = clock_gettime(ClockId::Boottime);
        let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
        let nanos = u32::try_from(time.tv_nsec).unwrap_or_default();
        Moment(Duration::new(seconds, nanos))
    }

    /// How long after the start of the machine it is.
    pub(crate) fn since_boot(self) -> Duration {
        self.0
    }

    /// How long ago it was.
    pub fn elapsed(self) -> Duration {
        Moment::now().duration_since(self)
    }

    /// How long after another moment; zero when it is before.
    pub fn duration_since(self, earlier: Moment) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Moment {
    type Output = Moment;

    fn add(self, later: Duration) -> Moment {
        Moment(self.0.saturating_add(later))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_time_since_the_start_of_the_machine() {
        let uptime = std::fs::read_to_string("/proc/uptime").unwrap();
        let seconds: f64 = uptime.split_whitespace().next().unwrap().parse().unwrap();
        let moment = Moment::now();
        assert!((moment.0.as_secs_f64() - seconds).abs() < 60.0, "{moment:?} is not near {seconds} s");
        let later = moment + Duration::from_secs(5);
        assert_eq!(later.duration_since(moment), Duration::from_secs(5));
        assert_eq!(moment.duration_since(later), Duration::ZERO);
        assert!(moment.elapsed() < Duration::from_secs(60) && Moment::now() >= moment);
    }
}
