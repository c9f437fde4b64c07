//! What a third-party program may be allowed at all: the table of scopes.
//!
//! Read by [`super::Viewer`], by `domain::organization`, which grants scopes and puts them into tokens, and by
//! `graphql`. What stands in no scope no client can ever do: above all what is about the people of the house
//! (accounts, roles, who keeps whom), the audit log, jobs, other clients, and what cannot be undone.

use super::Action;
use super::budget::BudgetSettings;
use entity::ids::ClientId;

macro_rules! scopes {
    ($($(#[$doc:meta])* $scope:ident = $word:literal: [$($action:ident),+];)+) => {
        /// What a client may do, each within its places.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, async_graphql::Enum)]
        pub enum ClientScope {
            $($(#[$doc])* $scope,)+
        }

        /// The table: every scope with its word, as tokens have it, and the actions that it stands for.
        pub const CLIENT_SCOPES: &[(ClientScope, &str, &[Action])] =
            &[$((ClientScope::$scope, $word, &[$(Action::$action),+]),)+];

        impl ClientScope {
            /// The word in tokens.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$scope => $word,)+ }
            }

            /// The actions that it stands for.
            pub const fn actions(self) -> &'static [Action] {
                match self { $(Self::$scope => &[$(Action::$action),+],)+ }
            }
        }
    };
}

scopes! {
    /// Read the company, its regions and its stores; nothing of the people who work there: `organization:read`.
    OrganizationRead = "organization:read": [OrganizationRead];
    /// Read categories, products and their prices: `catalog:read`.
    CatalogRead = "catalog:read": [CatalogRead];
    /// Create and change categories, products and prices; for clients of the whole company only: `catalog:write`.
    CatalogWrite = "catalog:write": [CatalogRead, CatalogManage];
    /// Read what articles cost the shop: `costs:read`.
    CostsRead = "costs:read": [CostRead];
    /// Read loyalty programmes and their ladders: `programmes:read`.
    ProgrammesRead = "programmes:read": [ProgrammeRead];
    /// Read customers, their cards, attributes and groups; contact details masked: `customers:read`.
    CustomersRead = "customers:read": [CustomerRead, AttributeRead, GroupRead];
    /// Read contact details of customers in full, and find customers by part of one: `contacts:read`.
    ContactsRead = "contacts:read": [ContactRead, ContactSearch];
    /// Create and change customers, their notes, tastes and days; with `customers:read` their contact points and
    /// consents, too: `customers:write`.
    CustomersWrite = "customers:write": [CustomerWrite];
    /// Enrol customers; issue, freeze and replace cards, whose numbers are shown in full: `cards:write`.
    CardsWrite = "cards:write": [CardWrite];
    /// Read visits and purchases of customers in sight: `visits:read`.
    VisitsRead = "visits:read": [VisitRead];
    /// Record visits and purchases, and that customers arrive: `visits:record`.
    VisitsRecord = "visits:record": [VisitRecord];
}

impl ClientScope {
    /// The scope of a word.
    pub fn of_word(word: &str) -> Option<Self> {
        CLIENT_SCOPES
            .iter()
            .find(|(_, known, _)| *known == word)
            .map(|(scope, _, _)| *scope)
    }

    /// Is it about what all stores share, and so nothing for a client of certain stores?
    pub const fn is_company_wide(self) -> bool {
        matches!(self, Self::CatalogWrite)
    }

    /// Its bit in [`Scopes`].
    const fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// A set of scopes.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Scopes(u32);

impl Scopes {
    /// Reads words with a space between them, as a request has them; `None` when one of them is no scope.
    pub fn parse(text: &str) -> Option<Self> {
        text.split(' ')
            .filter(|word| !word.is_empty())
            .map(ClientScope::of_word)
            .collect()
    }

    /// Reads words that this program or a newer one has written: what it does not know yet allows nothing.
    pub fn known(text: &str) -> Self {
        text.split(' ').filter_map(ClientScope::of_word).collect()
    }

    /// The scopes in the order of the table.
    pub fn iter(self) -> impl Iterator<Item = ClientScope> {
        CLIENT_SCOPES
            .iter()
            .map(|(scope, _, _)| *scope)
            .filter(move |scope| self.contains(*scope))
    }

    /// Is the scope among them?
    pub const fn contains(self, scope: ClientScope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// Those that are among the others, too.
    #[must_use]
    pub const fn both(self, others: Self) -> Self {
        Self(self.0 & others.0)
    }

    /// Does one of them stand for this action?
    pub fn allow(self, action: Action) -> bool {
        self.iter().any(|scope| scope.actions().contains(&action))
    }
}

impl FromIterator<ClientScope> for Scopes {
    fn from_iter<I: IntoIterator<Item = ClientScope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |all, scope| all | scope.bit()))
    }
}

/// The words with a space between them, in the order of the table.
impl std::fmt::Display for Scopes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (n, scope) in self.iter().enumerate() {
            if n > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope.word())?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for Scopes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[{self}]")
    }
}

/// A third-party program with what it may do, as of its last change and within its token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientViewer {
    /// Which one.
    pub id: ClientId,
    /// What it may do.
    pub scopes: Scopes,
    /// Where.
    pub places: Vec<super::Place>,
    /// Its own budget of cost; none for the usual one.
    pub budget: Option<BudgetSettings>,
}

impl ClientViewer {
    /// A client with these scopes in these places; without the whole company it has none that is about all stores.
    pub fn new(id: ClientId, scopes: Scopes, places: Vec<super::Place>) -> Self {
        let everywhere = places.contains(&super::Place::Company);
        Self {
            id,
            scopes: scopes
                .iter()
                .filter(|scope| everywhere || !scope.is_company_wide())
                .collect(),
            places,
            budget: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Place, Viewer, policy::POLICY};
    use entity::ids::StoreId;
    use std::sync::Arc;

    #[test]
    fn what_is_about_the_house_and_its_people_is_in_no_scope() {
        let never = [
            Action::OrganizationManage,
            Action::StaffRead,
            Action::StaffManage,
            Action::ClientRead,
            Action::ClientManage,
            Action::AuditRead,
            Action::JobRead,
            Action::JobManage,
            Action::CustomerManage,
            Action::CustomerMerge,
            Action::CustomerExport,
            Action::CustomerErase,
            Action::AttributeManage,
            Action::GroupManage,
            Action::ProgrammeManage,
            Action::TierGrant,
            Action::StoreVisitRead,
            Action::DataExport,
            Action::DataImport,
            Action::TransferManage,
        ];
        let everything = CLIENT_SCOPES.iter().map(|(scope, _, _)| *scope).collect();
        let client = ClientViewer::new(ClientId::new(), everything, vec![Place::Company]);
        let client = Viewer::Client(Arc::new(client));
        // Whoever adds an action to the policy decides here: it is never a client's, or it is in a scope.
        for (action, _) in POLICY {
            assert_ne!(client.may(*action), never.contains(action), "{action:?}");
        }
    }

    #[test]
    fn a_word_is_read_as_its_scope_and_a_set_as_it_was_written() {
        for (scope, word, actions) in CLIENT_SCOPES {
            assert_eq!(ClientScope::of_word(word), Some(*scope));
            assert_eq!((scope.word(), scope.actions()), (*word, *actions));
            let (topic, deed) = word.split_once(':').unwrap();
            assert!(
                topic
                    .chars()
                    .chain(deed.chars())
                    .all(|c| c.is_ascii_lowercase()),
                "{word}"
            );
        }
        let two = Scopes::parse("visits:record  customers:read").unwrap();
        assert_eq!(two.to_string(), "customers:read visits:record");
        assert_eq!(Scopes::parse("customers:read customers:erase"), None);
        assert_eq!(
            Scopes::known("customers:erase visits:record"),
            Scopes::parse("visits:record").unwrap()
        );
        assert_eq!(Scopes::parse(""), Some(Scopes::default()));
    }

    #[test]
    fn what_all_stores_share_is_nothing_for_a_client_of_one() {
        let scopes = Scopes::parse("catalog:read catalog:write").unwrap();
        let place = Place::Store(StoreId::new());
        let bound = ClientViewer::new(ClientId::new(), scopes, vec![place]);
        assert_eq!(bound.scopes.to_string(), "catalog:read");
        let free = ClientViewer::new(ClientId::new(), scopes, vec![Place::Company, place]);
        assert_eq!(free.scopes, scopes);
    }
}
