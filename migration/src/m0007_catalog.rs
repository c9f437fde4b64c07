//! What is sold: categories, products with their prices, and the index that finds products by their words.

use crate::sql::{
    Change,
    Step::{self, Both, Postgres, Sqlite},
};

pub(crate) const CHANGE: Change = Change {
    name: "m0007_catalog",
    oldest_program: 6,
    up: UP,
    down: DOWN,
};

const UP: &[Step] = &[
    Both(
        "create table category (
            id {uuid} primary key,
            parent_id {uuid} references category (id),
            code {key} not null unique,
            names {json} not null,
            archived_at {time},
            version {long} not null,
            created_at {time} not null,
            updated_at {time} not null
        ) {strict}",
    ),
    Both("create index category_parent on category (parent_id) where parent_id is not null"),
    Both(
        "create table product (
            id {uuid} primary key,
            sku {key} not null unique,
            names {json} not null,
            name_key {bytes} not null,
            category_id {uuid} references category (id),
            brand text,
            series text,
            barcode {key} unique,
            unit_cost_minor {long},
            introduced_on {date},
            member_only {bool} not null,
            discountable {bool} not null,
            archived_at {time},
            version {long} not null,
            created_at {time} not null,
            updated_at {time} not null
        ) {strict}",
    ),
    Both("create index product_by_name on product (name_key, id)"),
    Both("create index product_by_category on product (category_id, name_key, id)"),
    Both("create index product_by_brand on product (brand, name_key, id) where brand is not null"),
    Both("create index product_by_introduction on product (introduced_on, id) where introduced_on is not null"),
    Both(
        "create table product_price (
            id {uuid} primary key,
            product_id {uuid} not null references product (id),
            list_price_minor {long} not null,
            valid_from {time} not null,
            set_by {uuid} references staff (id),
            set_at {time} not null,
            unique (product_id, valid_from)
        ) {by_key}",
    ),
    Sqlite(
        "create table product_search (
            id integer primary key autoincrement,
            product_id blob not null unique references product (id) on delete cascade,
            words text not null
        ) strict",
    ),
    Sqlite(
        "create virtual table product_search_index using fts5
            (words, content = 'product_search', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 0')",
    ),
    Sqlite(
        "create trigger product_search_added after insert on product_search begin
            insert into product_search_index (rowid, words) values (new.id, new.words);
        end",
    ),
    Sqlite(
        "create trigger product_search_removed after delete on product_search begin
            insert into product_search_index (product_search_index, rowid, words) values ('delete', old.id, old.words);
        end",
    ),
    Sqlite(
        "create trigger product_search_changed after update on product_search begin
            insert into product_search_index (product_search_index, rowid, words) values ('delete', old.id, old.words);
            insert into product_search_index (rowid, words) values (new.id, new.words);
        end",
    ),
    Postgres(
        "create table product_search (
            product_id uuid primary key references product (id) on delete cascade,
            words text not null,
            document tsvector generated always as (array_to_tsvector(array_remove(string_to_array(words, ' '), ''))) stored
        )",
    ),
    Postgres("create index product_search_words on product_search using gin (document)"),
];

const DOWN: &[Step] = &[
    Sqlite("drop table product_search_index"),
    Both("drop table product_search"),
    Both("drop table product_price"),
    Both("drop table product"),
    Both("drop table category"),
];
