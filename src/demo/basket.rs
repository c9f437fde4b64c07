//! What is in a basket: mostly what somebody likes, at the price of their tier, more of it before festivals.

use super::catalogue::{self, PRODUCTS, Product};
use super::draw::{chance, one_of, weighted};
use crate::domain::cards::Ladder;
use crate::domain::visits::facts::LineFacts;
use entity::values::decimal::divide_half_up;
use rand::RngExt;
use rand::rngs::StdRng;

/// What somebody buys.
#[derive(Clone, Debug)]
pub(super) struct Habit {
    /// The categories that they like.
    pub likes: [&'static str; 2],
    /// The category that they never buy from.
    pub dislikes: &'static str,
    /// How deep they reach into their purse, 1 to 4.
    pub purse: u32,
    favourites: Vec<Product>,
    others: Vec<Product>,
}

impl Habit {
    pub(super) fn new(likes: [&'static str; 2], dislikes: &'static str, purse: u32) -> Self {
        // The thick purse leaves the small things, the thin one the dear ones.
        let fits = |product: &&Product| match purse {
            1 => product.price <= 50_000,
            2 => product.price <= 100_000,
            3 => product.price >= 8_000,
            _ => product.price >= 25_000,
        };
        let mut favourites: Vec<Product> = likes
            .iter()
            .flat_map(|category| catalogue::of(category))
            .filter(|product| fits(&product))
            .collect();
        let others: Vec<Product> = PRODUCTS
            .iter()
            .filter(|product| product.category != dislikes)
            .filter(fits)
            .copied()
            .collect();
        if favourites.is_empty() {
            favourites.clone_from(&others);
        }
        Self {
            likes,
            dislikes,
            purse,
            favourites,
            others,
        }
    }

    /// The lines of a basket, none of the same product twice. `net_spend` is what was bought before, which makes the
    /// tier of a member.
    pub(super) fn basket(
        &self,
        lots: &mut StdRng,
        season: bool,
        member: Option<(&Ladder, i64)>,
    ) -> Vec<LineFacts> {
        let mut size = weighted(lots, &[(1_usize, 18), (2, 38), (3, 28), (4, 16)]).unwrap_or(1);
        if season && chance(lots, 500) {
            size += 1;
        }
        let mut lines: Vec<LineFacts> = Vec::with_capacity(size);
        while lines.len() < size {
            let shelf = if chance(lots, 720) {
                &self.favourites
            } else {
                &self.others
            };
            let product = one_of(lots, shelf);
            let twice = lines
                .iter()
                .any(|line| line.sku.as_deref() == Some(product.sku));
            if twice {
                size -= 1;
                continue;
            }
            lines.push(line(lots, &product, member));
        }
        lines
    }
}

fn line(lots: &mut StdRng, product: &Product, member: Option<(&Ladder, i64)>) -> LineFacts {
    let small = product.price < 20_000;
    let pieces: i64 = if small && chance(lots, 250) {
        lots.random_range(2..=3)
    } else {
        1
    };
    let tier = member.and_then(|(ladder, net)| ladder.earned(net));
    // Now and then the season's sale is better than the tier's price.
    let sale = chance(lots, 60);
    let (off, reason) = match tier {
        _ if sale => (2_000, Some("seasonal sale 20 %".to_owned())),
        Some(tier) if tier.discount_basis_points > 0 => (
            i64::from(tier.discount_basis_points),
            Some(format!(
                "{} member {} %",
                tier.name,
                tier.discount_basis_points / 100
            )),
        ),
        _ => (0, None),
    };
    let full = i128::from(product.price * pieces);
    let paid = divide_half_up(full * i128::from(10_000 - off), 10_000).unwrap_or(product.price);
    LineFacts {
        sku: Some(product.sku.to_owned()),
        name: Some(product.name.to_owned()),
        category: Some(product.category.to_owned()),
        brand: Some(product.brand.to_owned()),
        quantity_milli: pieces * 1000,
        list_price_minor: Some(product.price),
        amount_minor: paid,
        unit_cost_minor: Some(product.cost),
        discount_reason: reason,
    }
}
