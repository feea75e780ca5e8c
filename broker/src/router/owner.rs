//! Whose a session is.

use super::{Router, connect::Refused};
use crate::{auth::Admitted, topic::Filter};
use flotilla_codec::Reason;

/// Section 3.2.2.2 on MQTT 5 ("a valid string but is not allowed by the Server"), 3.2.2.3 on 3.1.1.
const FOREIGN: Refused =
    Refused { reason: Reason::ClientIdNotValid, detail: "the ClientID has a session of another user's" };

impl Router {
    /// Refuses a ClientID whose session, connected or waiting, is another user's: rights are checked when a
    /// subscription is made, and whoever resumes the session gets what was subscribed. A clean start, too, since
    /// it would end the session.
    pub(super) fn check_owner(&self, admitted: &Admitted) -> Result<(), Refused> {
        let Some(&session) = self.by_id.get(&admitted.id) else { return Ok(()) };
        if admitted.assigned {
            return Err(Reason::ServerUnavailable.into());
        }
        // Without users a name proves nothing.
        if self.config.users.is_none() {
            return Ok(());
        }
        let owner = self.sessions[session].user.as_deref();
        if owner == admitted.user.as_deref() || (owner.is_none() && self.may_adopt(session, admitted)) {
            return Ok(());
        }
        Err(FOREIGN)
    }

    /// A session that is nobody's (an anonymous client's, or from a time without users) goes to the first user who
    /// may subscribe all of its filters.
    fn may_adopt(&self, session: usize, admitted: &Admitted) -> bool {
        let Some(rights) = &admitted.rights else { return true };
        self.sessions[session]
            .subscriptions
            .keys()
            .all(|filter| Filter::parse(filter).is_some_and(|filter| rights.may_subscribe(filter.topics())))
    }
}
