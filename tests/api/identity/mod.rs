//! One person, one file: merges and their undoing, duplicates, exports, erasures.

mod duplicates;
mod erasing;
mod merging;
mod racing;

use crate::support::{Answer, Client, World};
use serde_json::{Value, json};
use std::sync::Arc;

/// Everything of a customer that a merge may touch.
const SNAPSHOT: &str = "fragment All on Customer { id fullName version salutation gender birthDate { text } employer \
    statedNeed importance archivedAt address { lines city } income { band } referredBy { id } giftFrom { id } \
    keeper { id } homeStore { id } \
    contactPoints { id kind value label preferred verifiedAt consents { purpose granted evidence } } \
    removedContactPoints { id value } tastes { id aspect value attitude } specialDays { id label person } \
    notes(first: 50) { nodes { id text } } attributes { attribute { key } provenance value { text } notedAt } groups { id group { name } joinedAt } former: groups(former: true) { id leftAt } \
    completeness { score upToDate fields { field state confirmedAt confirmedBy { id } } } \
    totals { visits receipts bought { amount } returned { amount } net { amount } firstVisitOn lastVisitOn lastVisitAt lastPurchaseOn } \
    memberships { id tier { name } grantedTier { name } enrolledAt tierChanges { id } } \
    cards { id number status statusReason } \
    announcedVisits { id note state } \
    visits(first: 20) { nodes { id note arrival { id } transcript { nodes { id text } } purchases { id lines { id } } } } }";

/// A shop with a ladder, in which somebody has two files.
#[derive(Clone)]
pub struct Shop {
    pub world: Arc<World>,
    /// Whom to ask.
    pub client: Client,
    /// The token of the administrator.
    pub admin: String,
}

pub fn usd(amount: &str) -> Value {
    json!({ "amount": amount, "currencyCode": "USD" })
}

impl Shop {
    pub async fn open() -> Self {
        let world = World::new().await;
        let shop = Self {
            client: world.server.client.clone(),
            admin: world.token("ADMIN").to_owned(),
            world: Arc::new(world),
        };
        let tier = |name: &str, spend: &str, discount: &str| json!({ "name": name, "spendThreshold": usd(spend), "discountPercent": discount });
        let tiers = json!([
            tier("Member", "0", "0"),
            tier("Silver", "1000.00", "2.50"),
            tier("Gold", "5000.00", "5.00")
        ]);
        let input = json!({ "code": "club", "name": "Club", "tiers": tiers });
        shop.run("programmeCreate", "programme { id }", input).await;
        shop
    }

    /// Asks for a mutation as the administrator, whatever comes of it.
    pub async fn ask(&self, field: &str, fields: &str, input: Value) -> Answer {
        let upper = format!("{}{}", field[..1].to_uppercase(), &field[1..]);
        let of_type = match field {
            "cardFreeze" | "cardUnfreeze" | "cardReportLost" => "CardStepInput".to_owned(),
            "customerUnarchive" => "CustomerArchiveInput".to_owned(),
            _ => format!("{upper}Input"),
        };
        let query = format!(
            "mutation($input: {of_type}!) {{ {field}(input: $input) {{ {fields} userErrors {{ code field message }} }} }}"
        );
        self.client
            .gql(Some(&self.admin), &query, json!({ "input": input }))
            .await
    }

    /// As [`Shop::ask`], without user errors.
    #[track_caller]
    pub fn run(
        &self,
        field: &str,
        fields: &str,
        input: Value,
    ) -> impl Future<Output = Value> + use<'_> {
        let (field, fields) = (field.to_owned(), fields.to_owned());
        async move { self.ask(&field, &fields, input).await.payload().clone() }
    }

    /// Makes a customer; gives their id.
    pub async fn customer(&self, name: &str, more: Value) -> String {
        let mut input = json!({ "fullName": name, "homeStoreId": self.world.store });
        for (field, value) in more.as_object().unwrap() {
            input[field] = value.clone();
        }
        let made = self.run("customerCreate", "customer { id }", input).await;
        made["customer"]["id"].as_str().unwrap().to_owned()
    }

    /// All of a customer; null when there is none.
    pub async fn all(&self, id: &str) -> Value {
        let query = format!("query($id: ID!) {{ customer(id: $id) {{ ...All }} }} {SNAPSHOT}");
        let answer = self
            .client
            .gql(Some(&self.admin), &query, json!({ "id": id }))
            .await;
        answer.data()["customer"].clone()
    }

    /// Issues a card; gives it.
    pub async fn card(&self, customer: &str) -> Value {
        let input = json!({ "customerId": customer });
        let made = self.run("cardIssue", "card { id number status version }", input);
        made.await["card"].clone()
    }

    /// The input of a receipt of one line.
    pub fn receipt(&self, who: Value, number: &str, amount: &str) -> Value {
        let mut input = json!({
            "storeId": self.world.store,
            "purchase": {
                "receipt": { "source": "till", "number": number },
                "lines": [{ "name": "Oolong", "quantity": "2", "amount": usd(amount) }],
            },
        });
        for (field, value) in who.as_object().unwrap() {
            input[field] = value.clone();
        }
        input
    }

    /// Records a receipt for a customer; gives the visit.
    pub async fn buy(&self, customer: &str, number: &str, amount: &str) -> Value {
        let input = self.receipt(json!({ "customerId": customer }), number, amount);
        self.record(input).await
    }

    /// Records a visit; gives it.
    pub async fn record(&self, input: Value) -> Value {
        let fields = "visit { id customer { id } purchases { id lines { id } } }";
        self.run("visitRecord", fields, input).await["visit"].clone()
    }

    /// The input of a merge of two customers as they are now.
    pub async fn pair(&self, keep: &str, merge: &str) -> Value {
        let (kept, merged) = (self.all(keep).await, self.all(merge).await);
        json!({
            "keepId": keep, "mergeId": merge,
            "keepVersion": kept["version"], "mergeVersion": merged["version"],
        })
    }

    /// Merges two customers as they are now; gives the merge's id.
    pub async fn merge(&self, keep: &str, merge: &str) -> String {
        let input = self.pair(keep, merge).await;
        let made = self
            .run("customerMerge", "merge { id kept { id } }", input)
            .await;
        assert_eq!(made["merge"]["kept"]["id"], keep);
        made["merge"]["id"].as_str().unwrap().to_owned()
    }

    /// Undoes a merge; gives the user errors.
    pub async fn undo(&self, merge: &str) -> Vec<String> {
        let input = json!({ "mergeId": merge });
        let answer = self
            .ask("customerMergeUndo", "merge { undoneAt }", input)
            .await;
        let errors = answer.user_errors();
        assert_eq!(
            errors.is_empty(),
            !answer.any_payload()["merge"]["undoneAt"].is_null()
        );
        errors
    }
}

/// The values of a field of a list.
pub fn each<'a>(list: &'a Value, field: &str) -> Vec<&'a Value> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|item| &item[field])
        .collect()
}
