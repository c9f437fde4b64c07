//! The policy: one table that says which roles may use what. The access test proves each row of it.

use entity::enums::Role::{
    self, Admin, Analyst, Associate, Headquarters, Marketer, RegionManager, StoreManager,
};

macro_rules! policy {
    ($($(#[$doc:meta])* $action:ident: $roles:expr;)+) => {
        /// Something that can be allowed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, async_graphql::Enum)]
        #[graphql(name = "Permission")]
        pub enum Action {
            $($(#[$doc])* $action,)+
        }

        /// The table: every action with the roles that may use it, each within the rows it sees.
        pub const POLICY: &[(Action, &[Role])] = &[$((Action::$action, $roles),)+];

        fn roles(action: Action) -> &'static [Role] {
            match action { $(Action::$action => $roles,)+ }
        }
    };
}

/// Those who run stores.
const MANAGERS: &[Role] = &[Admin, Headquarters, RegionManager, StoreManager];
/// Those who stand in front of customers, and those above them.
const SHOP: &[Role] = &[Admin, Headquarters, RegionManager, StoreManager, Associate];
/// Those who see customers at all.
const CUSTOMER_READERS: &[Role] = &[
    Admin,
    Headquarters,
    RegionManager,
    StoreManager,
    Associate,
    Marketer,
];
/// Those who may take data away in bulk: who runs stores, and marketing, which sees contact details masked.
const EXPORTERS: &[Role] = &[Admin, Headquarters, RegionManager, StoreManager, Marketer];
/// Those who run members' clubs.
const GROUP_MANAGERS: &[Role] = &[Admin, Headquarters, RegionManager, StoreManager, Marketer];
/// All staff.
const STAFF: &[Role] = &[
    Admin,
    Headquarters,
    RegionManager,
    StoreManager,
    Associate,
    Marketer,
    Analyst,
];

policy! {
    /// Read the company, its regions and its stores.
    OrganizationRead: STAFF;
    /// Change the company, regions and stores.
    OrganizationManage: &[Admin];
    /// Read the list of staff: name, e-mail address, roles.
    StaffRead: MANAGERS;
    /// Create and change staff accounts.
    StaffManage: &[Admin];
    /// Read the list of clients: third-party programs, their scopes and places.
    ClientRead: &[Admin];
    /// Make and change clients and their secrets, switch them off and on.
    ClientManage: &[Admin];
    /// Read the audit log.
    AuditRead: &[Admin];
    /// Read the job queue.
    JobRead: &[Admin];
    /// Run a job again that was given up.
    JobManage: &[Admin];
    /// Read customers, contact details masked.
    CustomerRead: CUSTOMER_READERS;
    /// Read the contact details of customers in full; an associate only of those they keep or hold a task for.
    ContactRead: SHOP;
    /// Find customers by part of a contact detail: needs the right to see it in full anywhere in sight.
    ContactSearch: MANAGERS;
    /// Create and change customers, their contact points, notes, tastes and days.
    CustomerWrite: SHOP;
    /// Put a customer's file away and take it out again; say who keeps a customer.
    CustomerManage: MANAGERS;
    /// Find duplicates, merge customers' files into one, and undo it.
    CustomerMerge: MANAGERS;
    /// Export all that is kept about a customer.
    CustomerExport: MANAGERS;
    /// Erase a customer for good.
    CustomerErase: &[Admin, Headquarters];
    /// Read the attributes that the shop defines for its customers.
    AttributeRead: CUSTOMER_READERS;
    /// Define attributes of customers.
    AttributeManage: &[Admin, Headquarters];
    /// Read groups, and of their members the customers in sight.
    GroupRead: CUSTOMER_READERS;
    /// Make, change and put away groups; those of one store only in that store. A keeper changes their own group without it.
    GroupManage: GROUP_MANAGERS;
    /// Read categories, products and their prices.
    CatalogRead: STAFF;
    /// Create and change categories, products and prices.
    CatalogManage: &[Admin, Headquarters];
    /// Read programmes and their ladders.
    ProgrammeRead: STAFF;
    /// Create and change programmes and their ladders.
    ProgrammeManage: &[Admin];
    /// Enrol customers; issue, freeze and replace cards.
    CardWrite: SHOP;
    /// Give a tier by hand.
    TierGrant: MANAGERS;
    /// Read visits and purchases.
    VisitRead: CUSTOMER_READERS;
    /// Read the visits to a store, whoever's customers they are.
    StoreVisitRead: MANAGERS;
    /// Record visits and purchases.
    VisitRecord: SHOP;
    /// Have customers, cards, visits and purchases in sight written into a file; contact details as masked as elsewhere.
    DataExport: EXPORTERS;
    /// Bring data in from a file.
    DataImport: &[Admin, Headquarters];
    /// See, call off and fetch what others export and import.
    TransferManage: &[Admin];
    /// Read what an article cost the shop.
    CostRead: MANAGERS;
}

/// May this role use this?
pub fn allows(action: Action, role: Role) -> bool {
    roles(action).contains(&role)
}
