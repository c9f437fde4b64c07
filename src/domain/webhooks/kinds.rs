//! Of what events clients can be told: the closed list, with the right that each needs and what each is about.
//!
//! What is not here is the house's own: accounts, sign-ins, transfers, who keeps whom. What an import brings in is not
//! told one by one either.

use crate::access::{Action, CLIENT_SCOPES, Scopes};

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The customer.
    Customer,
    /// A contact point of the customer.
    ContactPoint,
    /// A note on the customer.
    Note,
    /// Something that the customer likes or dislikes.
    Taste,
    /// A day of the customer worth remembering.
    SpecialDay,
    /// What an attribute says of the customer.
    CustomerAttribute,
    /// The customer's membership in a group.
    GroupMember,
    /// A merge of two files.
    Merge,
    /// A membership in a programme.
    Membership,
    /// A card.
    Card,
    /// A visit.
    Visit,
    /// A visit that was announced.
    AnnouncedVisit,
    /// A category.
    Category,
    /// A product.
    Product,
    /// A store.
    Store,
    /// A region.
    Region,
    /// A programme.
    Programme,
    /// A group.
    Group,
    /// An attribute.
    Attribute,
    /// The company.
    Company,
    /// A webhook, which is being tested.
    Webhook,
    /// Something without an id of its own in the API.
    Nameless,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $word:literal: $action:ident, $subject:ident;)+) => {
        /// What a webhook can be told of.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, async_graphql::Enum)]
        #[graphql(name = "WebhookEventKind")]
        pub enum EventKind {
            $($(#[$doc])* $kind,)+
        }

        /// The table: every kind with its word, as messages have it.
        pub const EVENT_KINDS: &[(EventKind, &str)] = &[$((EventKind::$kind, $word),)+];

        impl EventKind {
            /// The word in messages.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$kind => $word,)+ }
            }

            /// What a client must be allowed to be told of it.
            pub const fn action(self) -> Action {
                match self { $(Self::$kind => Action::$action,)+ }
            }

            /// What it is about.
            pub const fn subject(self) -> Subject {
                match self { $(Self::$kind => Subject::$subject,)+ }
            }
        }
    };
}

kinds! {
    /// A customer's file was made.
    CustomerCreated = "customer.created": CustomerRead, Customer;
    /// A customer's file was changed.
    CustomerChanged = "customer.changed": CustomerRead, Customer;
    /// A customer's file was put away.
    CustomerArchived = "customer.archived": CustomerRead, Customer;
    /// A customer's file was taken out again.
    CustomerUnarchived = "customer.unarchived": CustomerRead, Customer;
    /// Two files were merged into one: told of each of the two customers.
    CustomerMerged = "customer.merged": CustomerRead, Merge;
    /// A merge was undone: told of each of the two customers.
    CustomerMergeUndone = "customer.merge_undone": CustomerRead, Merge;
    /// A customer was erased: forget what you keep of them.
    CustomerErased = "customer.erased": CustomerRead, Customer;
    /// Somebody has made sure that what is known of a customer is right.
    CustomerConfirmed = "customer.confirmed": CustomerRead, Customer;
    /// A way to reach a customer was added.
    CustomerContactPointAdded = "customer.contact_point_added": CustomerRead, ContactPoint;
    /// A way to reach a customer was changed.
    CustomerContactPointChanged = "customer.contact_point_changed": CustomerRead, ContactPoint;
    /// A way to reach a customer was found to be right.
    CustomerContactPointVerified = "customer.contact_point_verified": CustomerRead, ContactPoint;
    /// A way to reach a customer was removed.
    CustomerContactPointRemoved = "customer.contact_point_removed": CustomerRead, ContactPoint;
    /// A customer has given or withdrawn a consent.
    CustomerConsentRecorded = "customer.consent_recorded": CustomerRead, Nameless;
    /// A note was added to a customer.
    CustomerNoteAdded = "customer.note_added": CustomerRead, Note;
    /// A taste of a customer was added.
    CustomerTasteAdded = "customer.taste_added": CustomerRead, Taste;
    /// A taste of a customer was removed.
    CustomerTasteRemoved = "customer.taste_removed": CustomerRead, Taste;
    /// A day worth remembering was added.
    CustomerSpecialDayAdded = "customer.special_day_added": CustomerRead, SpecialDay;
    /// A day worth remembering was removed.
    CustomerSpecialDayRemoved = "customer.special_day_removed": CustomerRead, SpecialDay;
    /// What an attribute says of a customer was set.
    CustomerAttributeSet = "customer.attribute_set": AttributeRead, CustomerAttribute;
    /// What an attribute says of a customer was cleared.
    CustomerAttributeCleared = "customer.attribute_cleared": AttributeRead, CustomerAttribute;
    /// A customer has joined a group.
    CustomerGroupJoined = "customer.group_joined": GroupRead, GroupMember;
    /// A customer has left a group.
    CustomerGroupLeft = "customer.group_left": GroupRead, GroupMember;
    /// A customer has walked in.
    CustomerArrived = "customer.arrived": VisitRead, Customer;
    /// A customer was enrolled in a programme.
    MembershipEnrolled = "membership.enrolled": CustomerRead, Membership;
    /// A membership's tier has changed.
    MembershipTierChanged = "membership.tier_changed": CustomerRead, Membership;
    /// A card was issued, replaced, frozen or ended, or its validity has changed.
    CardChanged = "card.changed": CustomerRead, Card;
    /// A visit was recorded, with or without a purchase.
    VisitRecorded = "visit.recorded": VisitRead, Visit;
    /// An enquiry was continued.
    VisitEnquiryContinued = "visit.enquiry_continued": VisitRead, Visit;
    /// A visit was announced.
    VisitAnnounced = "visit.announced": VisitRead, AnnouncedVisit;
    /// An announced visit was changed.
    VisitAnnouncementChanged = "visit.announcement_changed": VisitRead, AnnouncedVisit;
    /// An announced visit was called off.
    VisitAnnouncementCancelled = "visit.announcement_cancelled": VisitRead, AnnouncedVisit;
    /// A category was made.
    CategoryCreated = "category.created": CatalogRead, Category;
    /// A category was changed.
    CategoryUpdated = "category.updated": CatalogRead, Category;
    /// A category was put away.
    CategoryArchived = "category.archived": CatalogRead, Category;
    /// A category was taken out again.
    CategoryRestored = "category.restored": CatalogRead, Category;
    /// A product was made.
    ProductCreated = "product.created": CatalogRead, Product;
    /// A product was changed.
    ProductUpdated = "product.updated": CatalogRead, Product;
    /// A product was put away.
    ProductArchived = "product.archived": CatalogRead, Product;
    /// A product was taken out again.
    ProductRestored = "product.restored": CatalogRead, Product;
    /// A product has got a new list price, from now or a later day on.
    ProductPriceSet = "product.price_set": CatalogRead, Product;
    /// A list price that was to come was called off.
    ProductPriceCancelled = "product.price_cancelled": CatalogRead, Product;
    /// A programme was made.
    ProgrammeCreated = "programme.created": ProgrammeRead, Programme;
    /// A programme or its ladder was changed.
    ProgrammeChanged = "programme.changed": ProgrammeRead, Programme;
    /// A group was made.
    GroupCreated = "group.created": GroupRead, Group;
    /// A group was changed.
    GroupChanged = "group.changed": GroupRead, Group;
    /// A group was put away.
    GroupArchived = "group.archived": GroupRead, Group;
    /// A group was taken out again.
    GroupUnarchived = "group.unarchived": GroupRead, Group;
    /// An attribute was defined.
    AttributeCreated = "attribute.created": AttributeRead, Attribute;
    /// An attribute was changed.
    AttributeChanged = "attribute.changed": AttributeRead, Attribute;
    /// An attribute was put away.
    AttributeArchived = "attribute.archived": AttributeRead, Attribute;
    /// An attribute was taken out again.
    AttributeUnarchived = "attribute.unarchived": AttributeRead, Attribute;
    /// The company was changed.
    CompanyUpdated = "company.updated": OrganizationRead, Company;
    /// A region was made.
    RegionCreated = "region.created": OrganizationRead, Region;
    /// A region was changed.
    RegionUpdated = "region.updated": OrganizationRead, Region;
    /// A store was opened.
    StoreCreated = "store.created": OrganizationRead, Store;
    /// A store was changed.
    StoreUpdated = "store.updated": OrganizationRead, Store;
    /// A store was closed for good.
    StoreArchived = "store.archived": OrganizationRead, Store;
    /// A store was opened again.
    StoreReopened = "store.reopened": OrganizationRead, Store;
}

/// The word of a test, which is no event.
pub const TEST: &str = "webhook.test";

impl EventKind {
    /// The kind of a word; none for what nobody outside is told of.
    pub fn of_word(word: &str) -> Option<Self> {
        EVENT_KINDS
            .iter()
            .find(|(_, known)| *known == word)
            .map(|(kind, _)| *kind)
    }

    /// The words of the scopes that let a client be told of it, fit to show.
    pub fn scopes(self) -> String {
        let words: Vec<&str> = CLIENT_SCOPES
            .iter()
            .filter(|(_, _, actions)| actions.contains(&self.action()))
            .map(|(_, word, _)| *word)
            .collect();
        words.join(" or ")
    }

    /// Do these scopes let a client be told of it?
    pub fn is_within(self, scopes: Scopes) -> bool {
        scopes.allow(self.action())
    }
}

/// Reads words that this program or a newer one has written: what it does not know yet is told to nobody.
pub fn known(text: &str) -> Vec<EventKind> {
    text.split(' ').filter_map(EventKind::of_word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_can_be_told_to_some_client() {
        for (kind, word) in EVENT_KINDS {
            assert_eq!(EventKind::of_word(word), Some(*kind));
            assert_eq!(kind.word(), *word);
            assert!(!kind.scopes().is_empty(), "{word} is in no scope");
        }
        assert_eq!(EventKind::of_word(TEST), None);
        assert_eq!(EventKind::of_word("staff.created"), None);
        let text = "visit.recorded staff.created customer.created";
        let expected = [EventKind::VisitRecorded, EventKind::CustomerCreated];
        assert_eq!(known(text), expected);
    }
}
