//! The customer file, and the index that finds customers by name and employer.

use crate::sql::{
    Change,
    Step::{self, Both, Postgres, Sqlite},
};

pub(crate) const CHANGE: Change = Change {
    name: "m0004_customers",
    oldest_program: 4,
    up: UP,
    down: DOWN,
};

const UP: &[Step] = &[
    Both(
        "create table customer (
            id {uuid} primary key,
            kind text not null,
            full_name text not null,
            name_key {bytes} not null,
            salutation text,
            gender text,
            birth_date text,
            language text,
            region_name text,
            address {json},
            employer text,
            position text,
            occupation text,
            income_band text,
            income_provenance text,
            income_noted_by {uuid} references staff (id),
            income_reason text,
            income_noted_at {time},
            price_sensitivity text,
            buying_purpose text,
            stated_need text,
            motive text,
            acquisition_source text,
            referred_by_id {uuid} references customer (id),
            gift_from_id {uuid} references customer (id),
            keeper_id {uuid} references staff (id),
            home_store_id {uuid} references store (id),
            importance text not null,
            archived_at {time},
            version {long} not null,
            created_at {time} not null,
            updated_at {time} not null
        ) {strict}",
    ),
    Both("create index customer_by_name on customer (name_key, id)"),
    Both("create index customer_by_store on customer (home_store_id, name_key, id)"),
    Both("create index customer_by_creation on customer (created_at, id)"),
    Both("create index customer_by_keeper on customer (keeper_id) where keeper_id is not null"),
    Both("create index customer_key on customer (home_store_id, name_key, id) where importance = 'KEY'"),
    Both("create index customer_referrer on customer (referred_by_id) where referred_by_id is not null"),
    Both(
        "create table customer_total (
            customer_id {uuid} primary key references customer (id) on delete cascade,
            visits {long} not null,
            receipts {long} not null,
            bought_minor {long} not null,
            returned_minor {long} not null,
            first_visit_on {date},
            last_visit_on {date},
            last_visit_at {time},
            last_purchase_on {date}
        ) {by_key}",
    ),
    Both(
        "create table customer_reference (
            source {key} not null,
            external_id {key} not null,
            customer_id {uuid} not null references customer (id) on delete cascade,
            primary key (source, external_id)
        ) {by_key}",
    ),
    Both("create index customer_reference_customer on customer_reference (customer_id)"),
    Both(
        "create table contact_point (
            id {uuid} primary key,
            customer_id {uuid} not null references customer (id) on delete cascade,
            kind text not null,
            value text not null,
            label text,
            preferred {bool} not null,
            verified_at {time},
            created_at {time} not null,
            removed_at {time},
            removed_by {uuid} references staff (id)
        ) {by_key}",
    ),
    // Nothing equals null: any number of removed ones, and beside them one that is in use.
    Both(
        "create unique index contact_point_once on contact_point
            (customer_id, kind, value, (case when removed_at is null then 1 end))",
    ),
    Sqlite("create index contact_point_value on contact_point (value, kind)"),
    // An order of bytes, whatever the database's locale: the beginning of a number is looked up in it too.
    Postgres("create index contact_point_value on contact_point (value text_pattern_ops, kind)"),
    Both(
        "create table consent (
            id {uuid} primary key,
            contact_point_id {uuid} not null references contact_point (id) on delete cascade,
            purpose text not null,
            granted {bool} not null,
            method text not null,
            evidence text,
            at {time} not null,
            recorded_by {uuid} references staff (id),
            recorded_at {time} not null
        ) {by_key}",
    ),
    Both("create index consent_point on consent (contact_point_id, purpose, at, id)"),
    Both(
        "create table taste (
            id {uuid} primary key,
            customer_id {uuid} not null references customer (id) on delete cascade,
            aspect text not null,
            value text not null,
            attitude text not null,
            provenance text not null,
            noted_by {uuid} references staff (id),
            noted_at {time} not null
        ) {strict}",
    ),
    Both("create unique index taste_once on taste (customer_id, aspect, value, provenance)"),
    Both(
        "create table special_day (
            id {uuid} primary key,
            customer_id {uuid} not null references customer (id) on delete cascade,
            label text not null,
            person text,
            date text not null,
            remind_before_days {int} not null,
            created_at {time} not null
        ) {strict}",
    ),
    Both("create index special_day_customer on special_day (customer_id)"),
    Both(
        "create table customer_note (
            id {uuid} primary key,
            customer_id {uuid} not null references customer (id) on delete cascade,
            author_id {uuid} references staff (id),
            text text not null,
            written_at {time} not null
        ) {strict}",
    ),
    Both("create index customer_note_customer on customer_note (customer_id, id)"),
    Sqlite(
        "create table customer_search (
            id integer primary key autoincrement,
            customer_id blob not null unique references customer (id) on delete cascade,
            name text not null,
            employer text not null
        ) strict",
    ),
    Sqlite(
        "create virtual table customer_search_index using fts5
            (name, employer, content = 'customer_search', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 0')",
    ),
    Sqlite(
        "create trigger customer_search_added after insert on customer_search begin
            insert into customer_search_index (rowid, name, employer) values (new.id, new.name, new.employer);
        end",
    ),
    Sqlite(
        "create trigger customer_search_removed after delete on customer_search begin
            insert into customer_search_index (customer_search_index, rowid, name, employer)
                values ('delete', old.id, old.name, old.employer);
        end",
    ),
    Sqlite(
        "create trigger customer_search_changed after update on customer_search begin
            insert into customer_search_index (customer_search_index, rowid, name, employer)
                values ('delete', old.id, old.name, old.employer);
            insert into customer_search_index (rowid, name, employer) values (new.id, new.name, new.employer);
        end",
    ),
    // The lexemes are made by the program and joined by spaces, so nothing is parsed here: a parser's idea
    // of a word depends on the database's locale.
    Postgres(
        "create table customer_search (
            customer_id uuid primary key references customer (id) on delete cascade,
            name text not null,
            employer text not null,
            name_document tsvector generated always as (array_to_tsvector(array_remove(string_to_array(name, ' '), ''))) stored,
            employer_document tsvector generated always as (array_to_tsvector(array_remove(string_to_array(employer, ' '), ''))) stored
        )",
    ),
    Postgres("create index customer_search_name on customer_search using gin (name_document)"),
    // Most customers have no employer.
    Postgres("create index customer_search_employer on customer_search using gin (employer_document) where employer <> ''"),
];

const DOWN: &[Step] = &[
    Sqlite("drop table customer_search_index"),
    Both("drop table customer_search"),
    Both("drop table customer_note"),
    Both("drop table special_day"),
    Both("drop table taste"),
    Both("drop table consent"),
    Both("drop table contact_point"),
    Both("drop table customer_reference"),
    Both("drop table customer_total"),
    Both("drop table customer"),
];
