//! What a request needs.

use flotilla_api::access::{Access, Role};

/// What a request needs. Every route of the admin API names one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Right {
    /// Nothing, not even a credential.
    Open,
    /// Any credential: the request is about whoever sends it.
    SignedIn,
    /// To change one's own account: password, tokens.
    Account,
    /// To look at a group.
    View,
    /// To change what a group runs: deploys, rollouts, secrets, dead letters, context.
    Deploy,
    /// To change the group itself.
    Own,
    /// To make a group: any user may.
    CreateGroup,
    /// To put a replica into a group: only an admin and whoever owns the replica's host may.
    AddReplica,
    /// To take a replica out of a group: the group's owner and whoever owns the replica's host may.
    RemoveReplica,
    /// To drain a host or forget it: only an admin and whoever owns it may.
    ManageHost,
    /// To call the HTTP endpoints of a group's flows.
    CallFlows,
    /// To change users and what concerns all groups.
    Administer,
}

impl Right {
    /// All rights.
    pub const ALL: [Right; 12] = [
        Right::Open,
        Right::SignedIn,
        Right::Account,
        Right::View,
        Right::Deploy,
        Right::Own,
        Right::CreateGroup,
        Right::AddReplica,
        Right::RemoveReplica,
        Right::ManageHost,
        Right::CallFlows,
        Right::Administer,
    ];

    /// Its name in refusals and in docs.
    pub fn word(self) -> &'static str {
        match self {
            Right::Open => "open",
            Right::SignedIn => "signed-in",
            Right::Account => "account",
            Right::View => "view",
            Right::Deploy => "deploy",
            Right::Own => "own",
            Right::CreateGroup => "create-group",
            Right::AddReplica => "add-replica",
            Right::RemoveReplica => "remove-replica",
            Right::ManageHost => "manage-host",
            Right::CallFlows => "call-flows",
            Right::Administer => "administer",
        }
    }

    /// What a request that needs it wants to do, as the end of "may not ...".
    pub(super) fn deed(self) -> &'static str {
        match self {
            Right::Open | Right::SignedIn => "do this",
            Right::Account => "change accounts",
            Right::View => "look at",
            Right::Deploy => "deploy to",
            Right::Own => "change",
            Right::CreateGroup => "make groups",
            Right::AddReplica => "add this replica to",
            Right::RemoveReplica => "take this replica out of",
            Right::ManageHost => "drain or remove this host",
            Right::CallFlows => "call the flows of",
            Right::Administer => "administer Flotilla",
        }
    }

    /// Whether a credential with this access has it, of what its user has.
    pub fn is_within(self, access: Access) -> bool {
        match access {
            Access::Write => true,
            Access::Read => matches!(self, Right::Open | Right::SignedIn | Right::View),
            Access::Call => matches!(self, Right::Open | Right::SignedIn | Right::CallFlows),
        }
    }

    /// Whether a role has it in the role's own group. `protected`: the group is deployed to by its owners only.
    pub(super) fn comes_with(self, role: Role, protected: bool) -> bool {
        match (self, role) {
            (Right::Open | Right::SignedIn | Right::Account, _) | (_, Role::Admin) => true,
            (Right::CallFlows, Role::Owner | Role::Endpoint) => true,
            (_, Role::Endpoint) => false,
            (Right::View | Right::CreateGroup, _) => true,
            (Right::Deploy, Role::Deployer) => !protected,
            (Right::Deploy | Right::Own | Right::RemoveReplica, Role::Owner) => true,
            _ => false,
        }
    }

    /// The roles that have it, for refusals.
    pub(super) fn roles(self, protected: bool) -> Vec<Role> {
        Role::ALL.into_iter().filter(|role| self.comes_with(*role, protected)).collect()
    }
}
