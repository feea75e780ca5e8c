//! Somebody, with what they were granted and what their credential is limited to.

use flotilla_api::access::{Access, Grant, Role};

use super::right::Right;

/// Somebody who sends requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The name, as the audit log shows it.
    pub name: String,
    /// What they were granted.
    pub grants: Vec<Grant>,
    /// What the credential is limited to.
    pub limits: Limits,
}

/// What a credential is limited to, whatever its owner may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// For what it may be used.
    pub access: Access,
    /// It is for these groups; empty: for all.
    pub groups: Vec<String>,
}

/// What a request is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Target<'a> {
    /// The group; `None`: none in particular.
    pub group: Option<&'a str>,
    /// The group is deployed to by its owners only.
    pub protected: bool,
    /// The replica's host belongs to whoever asks.
    pub owns_host: bool,
}

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refused {
    /// The right that is missing.
    pub right: Right,
    /// Who may not do what, and which roles may.
    pub reason: String,
}

impl Principal {
    /// The administrator.
    pub fn admin(name: &str) -> Principal {
        Principal { name: name.to_owned(), grants: vec![Grant::ADMIN], limits: Limits::default() }
    }

    /// Whether they may do something.
    ///
    /// # Errors
    /// [`Refused`], with the right that is missing.
    pub fn may(&self, right: Right, target: Target<'_>) -> Result<(), Refused> {
        if matches!(right, Right::Open | Right::SignedIn) {
            return Ok(());
        }
        if let Some(limit) = self.limit(right, target.group) {
            return Err(Refused { right, reason: format!("{} may not {}: {limit}", self.name, deed(right, target)) });
        }
        if self.is_granted(right, target) {
            return Ok(());
        }
        Err(Refused { right, reason: self.reason(right, target) })
    }

    /// Whether they may look at a group.
    pub fn sees(&self, group: &str) -> bool {
        self.may(Right::View, Target { group: Some(group), ..Target::default() }).is_ok()
    }

    fn limit(&self, right: Right, group: Option<&str>) -> Option<String> {
        if !right.is_within(self.limits.access) {
            let access = match self.limits.access {
                Access::Call => "calling flows",
                Access::Read | Access::Write => "reading",
            };
            return Some(format!("the token is for {access} only, and this needs the right \"{}\"", right.word()));
        }
        let groups = &self.limits.groups;
        match group {
            Some(group) if !groups.is_empty() && !groups.iter().any(|own| own == group) => {
                Some(format!("the token is for {} only", groups.join(", ")))
            }
            None if !groups.is_empty() && !right.is_within(Access::Read) => {
                Some(format!("the token is for {} only, and this is about no group", groups.join(", ")))
            }
            _ => None,
        }
    }

    fn is_granted(&self, right: Right, target: Target<'_>) -> bool {
        // Any user may make a group; somebody who may only call flows is none.
        if right == Right::Account {
            return true;
        }
        let is_user = self.grants.is_empty() || self.grants.iter().any(|grant| grant.role != Role::Endpoint);
        if right == Right::CreateGroup {
            return is_user;
        }
        if matches!(right, Right::AddReplica | Right::RemoveReplica | Right::ManageHost) && target.owns_host && is_user
        {
            return true;
        }
        self.grants.iter().any(|grant| {
            target.group.is_none_or(|group| grant.covers(group)) && right.comes_with(grant.role, target.protected)
        })
    }

    fn reason(&self, right: Right, target: Target<'_>) -> String {
        let roles = right.roles(target.protected).into_iter().map(|role| match (role, target.group) {
            (Role::Admin, _) | (_, None) => role.word().to_owned(),
            (_, Some(group)) => format!("{}:{group}", role.word()),
        });
        let mut roles: Vec<String> = roles.collect();
        if matches!(right, Right::AddReplica | Right::RemoveReplica) {
            roles.push("to own the replica's host".to_owned());
        }
        if right == Right::ManageHost {
            roles.push("to own it (--owner of its agent)".to_owned());
        }
        let own = match self.grants.as_slice() {
            [] => "no role".to_owned(),
            grants => grants.iter().map(Grant::to_string).collect::<Vec<_>>().join(", "),
        };
        format!(
            "{} may not {}: this needs the right \"{}\", that is {}, and {} has {own}",
            self.name,
            deed(right, target),
            right.word(),
            roles.join(" or "),
            self.name
        )
    }
}

fn deed(right: Right, target: Target<'_>) -> String {
    let kind = if target.protected { "protected group" } else { "group" };
    match (right, target.group) {
        (Right::CreateGroup | Right::Administer | Right::Account | Right::ManageHost, _) => right.deed().to_owned(),
        (_, Some(group)) => format!("{} {kind} \"{group}\"", right.deed()),
        (_, None) => format!("{} any group", right.deed()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(grants: &[&str]) -> Principal {
        let grants = grants.iter().map(|text| text.parse().unwrap()).collect();
        Principal { name: "ann".to_owned(), grants, limits: Limits::default() }
    }

    fn at(group: &str) -> Target<'_> {
        Target { group: Some(group), ..Target::default() }
    }

    /// The whole of it: which role has which right in its own group, in another, and in its own while that is protected.
    #[test]
    fn every_right_by_every_role() {
        let mut lines = Vec::new();
        for right in Right::ALL {
            for grants in
                [&["admin"][..], &["owner:g"], &["deployer:g"], &["viewer:g"], &["viewer"], &["endpoint:g"], &[]]
            {
                let who = with(grants);
                let may = |target| if who.may(right, target).is_ok() { "y" } else { "-" };
                let protected = Target { protected: true, ..at("g") };
                let host = Target { owns_host: true, ..at("other") };
                let line = [may(at("g")), may(at("other")), may(protected), may(host)].concat();
                lines.push(format!("{} {}: {line}", right.word(), grants.join(",")));
            }
        }
        let yes: Vec<&str> = lines.iter().map(String::as_str).filter(|line| !line.ends_with("----")).collect();
        let expected = "\
open admin: yyyy|open owner:g: yyyy|open deployer:g: yyyy|open viewer:g: yyyy|open viewer: yyyy|open endpoint:g: yyyy|\
open : yyyy|signed-in admin: yyyy|signed-in owner:g: yyyy|signed-in deployer:g: yyyy|signed-in viewer:g: yyyy|\
signed-in viewer: yyyy|signed-in endpoint:g: yyyy|signed-in : yyyy|account admin: yyyy|account owner:g: yyyy|\
account deployer:g: yyyy|account viewer:g: yyyy|account viewer: yyyy|account endpoint:g: yyyy|account : yyyy|view admin: yyyy|view owner:g: y-y-|\
view deployer:g: y-y-|view viewer:g: y-y-|view viewer: yyyy|deploy admin: yyyy|deploy owner:g: y-y-|\
deploy deployer:g: y---|own admin: yyyy|own owner:g: y-y-|create-group admin: yyyy|create-group owner:g: yyyy|\
create-group deployer:g: yyyy|create-group viewer:g: yyyy|create-group viewer: yyyy|create-group : yyyy|\
add-replica admin: yyyy|add-replica owner:g: ---y|add-replica deployer:g: ---y|add-replica viewer:g: ---y|\
add-replica viewer: ---y|add-replica : ---y|remove-replica admin: yyyy|remove-replica owner:g: y-yy|\
remove-replica deployer:g: ---y|remove-replica viewer:g: ---y|remove-replica viewer: ---y|remove-replica : ---y|\
manage-host admin: yyyy|manage-host owner:g: ---y|manage-host deployer:g: ---y|manage-host viewer:g: ---y|\
manage-host viewer: ---y|manage-host : ---y|call-flows admin: yyyy|call-flows owner:g: y-y-|call-flows endpoint:g: y-y-|administer admin: yyyy";
        assert_eq!(yes.join("|"), expected);
    }

    #[test]
    fn a_token_has_no_more_than_its_owner_and_its_limits() {
        let limits = Limits { access: Access::Read, groups: vec!["g".to_owned()] };
        let token = Principal { limits, ..Principal::admin("root") };
        assert!(token.sees("g") && !token.sees("other"));
        for right in Right::ALL {
            assert_eq!(token.may(right, at("g")).is_ok(), right.is_within(Access::Read), "{right:?}");
        }
        let caller =
            Principal { limits: Limits { access: Access::Call, groups: Vec::new() }, ..Principal::admin("root") };
        let rights: Vec<Right> = Right::ALL.into_iter().filter(|right| caller.may(*right, at("g")).is_ok()).collect();
        assert_eq!(rights, [Right::Open, Right::SignedIn, Right::CallFlows]);
        let limits = Limits { access: Access::Write, groups: vec!["g".to_owned()] };
        let token = Principal { limits, ..Principal::admin("root") };
        assert!(token.may(Right::Own, at("g")).is_ok() && token.may(Right::Own, at("other")).is_err());
        assert!(token.may(Right::Administer, Target::default()).is_err(), "a token of one group is about that group");
        let viewer = Principal { limits: Limits::default(), ..with(&["viewer:g"]) };
        assert!(viewer.may(Right::Deploy, at("g")).is_err());
    }

    #[test]
    fn a_refusal_says_what_is_missing_and_who_has_it() {
        let error = with(&["viewer:g"]).may(Right::Deploy, at("g")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "ann may not deploy to group \"g\": this needs the right \"deploy\", that is admin or owner:g or deployer:g, and \
             ann has viewer:g"
        );
        let protected = Target { protected: true, ..at("g") };
        let error = with(&["deployer:g"]).may(Right::Deploy, protected).unwrap_err().to_string();
        assert!(error.contains("protected group \"g\"") && !error.contains("or deployer"), "{error}");
        let error = with(&[]).may(Right::Administer, Target::default()).unwrap_err().to_string();
        assert!(error.contains("administer Flotilla") && error.contains("no role"), "{error}");
    }
}
