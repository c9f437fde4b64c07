//! Does everything in the database agree with everything else? What a thorough look asks, on both engines.
//!
//! Called by `regulars doctor --thorough`, after a restore above all. Each question is one statement, so that its answer
//! is of one moment however much is written meanwhile, and reads along indexes, so that neither engine has to sort the
//! whole history. Nothing is changed, and nothing is told of a row but its id.

use super::StartError;
use crate::db::{Db, Engine};
use crate::domain::customers::completeness::count::disagreeing;
use sea_orm::{ConnectionTrait, DbErr, Statement};

/// What must hold.
struct Rule {
    /// What it is about, in a word or two.
    subject: &'static str,
    /// What holds, when it does.
    holds: &'static str,
    /// What a row that breaks it is, after its number.
    breach: &'static str,
    /// Finds the ids of rows that break it, in one column.
    rows: &'static str,
    /// Only on this engine.
    only: Option<Engine>,
}

const RULES: [Rule; 15] = [
    Rule {
        subject: "totals",
        holds: "agree with visits and purchases",
        breach: "customer(s) whose totals are not the sums of their visits and purchases",
        rows: "select t.customer_id from customer_total t left join visit v on v.customer_id = t.customer_id
            left join purchase p on p.visit_id = v.id
            group by t.customer_id
            having t.visits <> count(distinct v.id) or t.receipts <> count(p.id)
                or t.bought_minor <> coalesce(sum(p.bought_minor), 0)
                or t.returned_minor <> coalesce(sum(p.returned_minor), 0)
                or t.first_visit_on <> min(v.business_date) or t.last_visit_on <> max(v.business_date)
                or (t.last_visit_on is null) <> (max(v.business_date) is null)",
        only: None,
    },
    Rule {
        subject: "totals",
        holds: "are there for whoever came",
        breach: "visit(s) of customers who have no totals",
        rows: "select v.id from visit v
            where not exists (select 1 from customer_total t where t.customer_id = v.customer_id)",
        only: None,
    },
    Rule {
        subject: "receipts",
        holds: "agree with their lines",
        breach: "purchase(s) whose sums are not those of their lines",
        rows: "select p.id from purchase p left join purchase_line l on l.purchase_id = p.id
            group by p.id
            having p.bought_minor <> coalesce(sum(case when l.quantity_milli >= 0 then l.amount_minor end), 0)
                or p.returned_minor <> coalesce(-sum(case when l.quantity_milli < 0 then l.amount_minor end), 0)",
        only: None,
    },
    Rule {
        subject: "receipts",
        holds: "belong to the customer whose visit it was",
        breach: "purchase(s) of another customer than their visit",
        rows: "select p.id from purchase p join visit v on v.id = p.visit_id where p.customer_id <> v.customer_id",
        only: None,
    },
    Rule {
        subject: "returns",
        holds: "undo no more than was bought",
        breach: "line(s) of which more was given back than was bought",
        rows: "select r.returns_line_id from purchase_line r join purchase_line b on b.id = r.returns_line_id
            where r.returns_line_id is not null
            group by r.returns_line_id
            having -sum(r.quantity_milli) > min(b.quantity_milli) or -sum(r.amount_minor) > min(b.amount_minor)",
        only: None,
    },
    Rule {
        subject: "cards",
        holds: "at most one is active for a membership",
        breach: "membership(s) with more than one active card",
        rows: "select membership_id from card where status = 'ACTIVE' group by membership_id having count(*) > 1",
        only: None,
    },
    Rule {
        subject: "cards",
        holds: "belong to the member",
        breach: "card(s) of another customer than their membership",
        rows: "select c.id from card c join membership m on m.id = c.membership_id where c.customer_id <> m.customer_id",
        only: None,
    },
    Rule {
        subject: "memberships",
        holds: "have a tier of their own programme",
        breach: "membership(s) with a tier of another programme",
        rows: "select m.id from membership m join tier t on t.id = m.tier_id where t.programme_id <> m.programme_id",
        only: None,
    },
    Rule {
        subject: "attributes",
        holds: "are compared by what they say",
        breach: "value(s) of a number or a day without what they are compared by, or another value with it",
        rows: "select v.id from customer_attribute v join attribute a on a.id = v.attribute_id
            where (v.number is not null) <> (a.kind in ('INTEGER', 'DECIMAL', 'DATE'))",
        only: None,
    },
    Rule {
        subject: "search",
        holds: "finds every customer",
        breach: "customer(s) whom the search does not find",
        rows: "select c.id from customer c where c.archived_at is null
            and c.merged_into_id is null and c.erased_at is null
            and not exists (select 1 from customer_search s where s.customer_id = c.id)",
        only: None,
    },
    Rule {
        subject: "search",
        holds: "finds every product",
        breach: "product(s) that the search does not find",
        rows: "select p.id from product p where p.archived_at is null
            and not exists (select 1 from product_search s where s.product_id = p.id)",
        only: None,
    },
    Rule {
        subject: "search",
        holds: "has the words of all customers and products in its index",
        breach: "row(s) of the search whose words are not in the index, or the other way round",
        // The engine keeps the size of each document in a table of its own, whose name is part of its format.
        rows: "select s.customer_id from customer_search s
                where not exists (select 1 from customer_search_index_docsize d where d.id = s.id)
            union all select s.product_id from product_search s
                where not exists (select 1 from product_search_index_docsize d where d.id = s.id)
            union all select d.id from customer_search_index_docsize d
                where not exists (select 1 from customer_search s where s.id = d.id)
            union all select d.id from product_search_index_docsize d
                where not exists (select 1 from product_search s where s.id = d.id)",
        only: Some(Engine::Sqlite),
    },
    Rule {
        subject: "events",
        holds: "have positions without a gap",
        breach: "gap(s) in the positions of events",
        rows: "select e.position from (select position, lag(position) over (order by position) as before from event
            where position is not null) as e where e.before is not null and e.position <> e.before + 1",
        only: None,
    },
    Rule {
        subject: "events",
        holds: "have no position that was not given yet",
        breach: "lease(s) that stand behind positions given already",
        rows: "select name from lease where name = 'sequencer'
            and position < (select coalesce(max(position), 0) from event)",
        only: None,
    },
    Rule {
        subject: "indexes",
        holds: "are whole",
        breach: "index(es) or rule(s) of a table that the server does not keep",
        rows: "select indexrelid::regclass from pg_index where not indisvalid
            union all select conrelid::regclass from pg_constraint where not convalidated",
        only: Some(Engine::Postgres),
    },
];

/// What was found out about one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is about.
    pub subject: String,
    /// What holds or does not, in words.
    pub text: String,
    /// Does it hold?
    pub holds: bool,
}

/// Asks all questions; `tell` hears each answer as it comes.
///
/// # Errors
/// Those of the database.
pub async fn look(db: &Db, mut tell: impl FnMut(Finding)) -> Result<(), StartError> {
    let engine = db.engine();
    for rule in RULES
        .iter()
        .filter(|rule| rule.only.is_none_or(|only| only == engine))
    {
        let (count, example) = broken(db, rule.rows).await?;
        tell(finding(rule, count, example));
    }
    tell(scores(db).await?);
    if engine == Engine::Postgres {
        tell(references(db).await?);
    }
    tell(sums(db).await?);
    Ok(())
}

fn finding(rule: &Rule, count: i64, example: Option<String>) -> Finding {
    Finding {
        subject: rule.subject.to_owned(),
        text: match example {
            None if count == 0 => rule.holds.to_owned(),
            example => format!(
                "{count} {}, such as {}: {WHAT_TO_DO}",
                rule.breach,
                example.unwrap_or_default()
            ),
        },
        holds: count == 0,
    }
}

const WHAT_TO_DO: &str =
    "the database was changed past the program or is damaged; restore a backup that is whole";

/// How many rows a statement finds, and the first of their ids as text.
async fn broken(db: &Db, rows: &str) -> Result<(i64, Option<String>), StartError> {
    let text = match db.engine() {
        Engine::Sqlite => {
            "min(case typeof(id) when 'blob' then lower(hex(id)) else cast(id as text) end)"
        }
        Engine::Postgres => "min(id::text)",
    };
    let row = one(
        db,
        &format!(
            "with broken (id) as ({rows}) select count(*) as found, {text} as example from broken"
        ),
    )
    .await?;
    match row {
        Some(row) => Ok((row.try_get("", "found")?, row.try_get("", "example")?)),
        None => Ok((0, None)),
    }
}

async fn one(db: &Db, text: &str) -> Result<Option<sea_orm::QueryResult>, DbErr> {
    let backend = db.read().get_database_backend();
    db.read()
        .query_one_raw(Statement::from_string(backend, text))
        .await
}

/// The stored score of every file is what the file gives by the rules that hold, which are data themselves.
async fn scores(db: &Db) -> Result<Finding, StartError> {
    let rule = Rule {
        subject: "completeness",
        holds: "agrees with what is in the files",
        breach: "customer(s) whose score is not what their file gives",
        rows: "",
        only: None,
    };
    let (count, example) = broken(db, &disagreeing(db).await?).await?;
    Ok(finding(&rule, count, example))
}

/// The embedded engine is asked for rows that refer to nothing by a word of its own; here each reference is a question.
async fn references(db: &Db) -> Result<Finding, StartError> {
    let all = "select conrelid::regclass::text as child, confrelid::regclass::text as parent,
            (select attname::text from pg_attribute where attrelid = conrelid and attnum = conkey[1]) as refers,
            (select attname::text from pg_attribute where attrelid = confrelid and attnum = confkey[1]) as referred
        from pg_constraint where contype = 'f' and connamespace = current_schema()::regnamespace
            and cardinality(conkey) = 1
        order by 1, 3";
    let backend = db.read().get_database_backend();
    let references = db
        .read()
        .query_all_raw(Statement::from_string(backend, all))
        .await?;
    let mut lost = Vec::new();
    for reference in &references {
        let name = |column: &str| reference.try_get::<String>("", column);
        let (child, refers) = (name("child")?, name("refers")?);
        let (parent, referred) = (name("parent")?, name("referred")?);
        let rows = format!(
            "select c.{refers} from {child} c where c.{refers} is not null
                and not exists (select 1 from {parent} p where p.{referred} = c.{refers})"
        );
        let (count, _) = broken(db, &rows).await?;
        if count > 0 {
            lost.push(format!(
                "{count} row(s) of {child} refer to nothing by {refers}"
            ));
        }
    }
    let subject = "references".to_owned();
    Ok(if lost.is_empty() {
        Finding {
            subject,
            text: format!("all {} lead to a row", references.len()),
            holds: true,
        }
    } else {
        Finding {
            subject,
            text: format!("{}: {WHAT_TO_DO}", lost.join(", ")),
            holds: false,
        }
    })
}

/// What can be held against another database: before a restore and after it, here and there.
async fn sums(db: &Db) -> Result<Finding, StartError> {
    let whole = match db.engine() {
        Engine::Sqlite => "integer",
        Engine::Postgres => "bigint",
    };
    let row = one(
        db,
        &format!(
            "select (select count(*) from customer) as customers, (select count(*) from visit) as visits,
                (select count(*) from purchase) as purchases,
                (select cast(coalesce(sum(bought_minor - returned_minor), 0) as {whole}) from purchase) as net,
                (select count(*) from event) as events"
        ),
    )
    .await?;
    let number = |column: &str| match &row {
        Some(row) => row.try_get::<i64>("", column),
        None => Ok(0),
    };
    Ok(Finding {
        subject: "sums".to_owned(),
        text: format!(
            "{} customers, {} visits, {} purchases of {} minor units net, {} events",
            number("customers")?,
            number("visits")?,
            number("purchases")?,
            number("net")?,
            number("events")?
        ),
        holds: true,
    })
}
