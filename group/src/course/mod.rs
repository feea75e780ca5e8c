//! What a group is to run: its good revision and the rollout to the next.

mod course_type;
mod courses;

pub use course_type::Course;
pub use courses::Courses;
