//! The retailer itself: company, regions, stores, staff, programme. Each has a code or an address by which it is
//! found again; what an administrator has changed since stays.

use super::names::{self, Script};
use super::{ACCOUNTS, CURRENCY, PASSWORD, Scale, draw, shelves};
use crate::access::{Ctx, Grant, Place};
use crate::domain::cards::{Ladder, Rung, programmes};
use crate::domain::organization::{company, regions, staff as accounts, stores};
use crate::error::{Error, Result};
use entity::enums::{Gender, Role};
use entity::ids::{RegionId, StaffId, StoreId};
use entity::values::TimeZone;
use entity::values::opening_hours::{Interval, Weekday};
use entity::{customer, programme, region, staff, store};
use futures_util::{StreamExt, TryStreamExt, stream};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use secrecy::SecretString;
use std::collections::HashMap;
use std::sync::Arc;

/// The retailer, as far as its customers' stories need it.
#[derive(Debug)]
pub(super) struct House {
    pub stores: Vec<Shop>,
    pub programme: programme::Model,
    pub ladder: Ladder,
    pub company: Arc<company::CompanySettings>,
}

/// A store with those who serve in it.
#[derive(Clone, Debug)]
pub(super) struct Shop {
    pub id: StoreId,
    pub code: String,
    pub city: &'static City,
    pub zone: TimeZone,
    pub staff: Vec<StaffId>,
}

/// A place with a store: from 11 stores on, cities have several.
#[derive(Debug)]
pub(super) struct City {
    code: &'static str,
    /// The name of its first store.
    name: &'static str,
    /// What customers' files say of where they live.
    pub place: &'static str,
    zone: &'static str,
    region: usize,
    opens: &'static str,
    closes: &'static str,
    /// The first and the last hour in which somebody comes.
    pub hours: (u32, u32),
    /// How often which script is met among its customers.
    pub scripts: [(Script, u32); 3],
}

const REGIONS: [(&str, &str); 2] = [("asia", "East Asia"), ("america", "North America")];

/// So many stores of each city lie in one region, 20 to 30 stores in all: what one manager looks after.
const ROUNDS_OF_A_REGION: u32 = 5;

const fn city(
    code: &'static str,
    name: &'static str,
    place: &'static str,
    zone: &'static str,
    region: usize,
    scripts: [u32; 3],
) -> City {
    let [chinese, korean, latin] = scripts;
    let (opens, closes, hours) = if region == 0 {
        ("10:00", "22:00", (10, 21))
    } else {
        ("10:00", "20:00", (10, 19))
    };
    City {
        code,
        name,
        place,
        zone,
        region,
        opens,
        closes,
        hours,
        scripts: [
            (Script::Chinese, chinese),
            (Script::Korean, korean),
            (Script::Latin, latin),
        ],
    }
}

static CITIES: [City; 10] = [
    city(
        "SHA",
        "Shanghai, Huaihai Road",
        "Shanghai",
        "Asia/Shanghai",
        0,
        [90, 2, 8],
    ),
    city(
        "SEL",
        "Seoul, Insadong",
        "Seoul",
        "Asia/Seoul",
        0,
        [6, 88, 6],
    ),
    city(
        "YVR",
        "Vancouver, Granville",
        "Vancouver",
        "America/Vancouver",
        1,
        [38, 10, 52],
    ),
    city(
        "NYC",
        "New York, Flushing",
        "New York",
        "America/New_York",
        1,
        [30, 18, 52],
    ),
    city(
        "HGH",
        "Hangzhou, Hefang Street",
        "Hangzhou",
        "Asia/Shanghai",
        0,
        [97, 1, 2],
    ),
    city(
        "PUS",
        "Busan, Nampo-dong",
        "Busan",
        "Asia/Seoul",
        0,
        [3, 94, 3],
    ),
    city(
        "SFO",
        "San Francisco, Sunset",
        "San Francisco",
        "America/Los_Angeles",
        1,
        [35, 8, 57],
    ),
    city(
        "YYZ",
        "Toronto, Kensington",
        "Toronto",
        "America/Toronto",
        1,
        [30, 10, 60],
    ),
    city(
        "CTU",
        "Chengdu, Kuanzhai Alley",
        "Chengdu",
        "Asia/Shanghai",
        0,
        [98, 0, 2],
    ),
    city(
        "HKG",
        "Hong Kong, Sheung Wan",
        "Hong Kong",
        "Asia/Hong_Kong",
        0,
        [85, 3, 12],
    ),
];

/// Headquarters are in Shanghai and keep the books in yuan: thresholds such as 2,000 for a big purchase, usual in
/// the trade, fit it. All stores sell in it, since a company has one currency.
fn company_defaults() -> company::CompanyDefaults {
    company::CompanyDefaults {
        name: "Lantern Street Trading".to_owned(),
        currency: CURRENCY.to_owned(),
        country: "CN".to_owned(),
        locale: "zh".to_owned(),
        time_zone: "Asia/Shanghai".to_owned(),
    }
}

/// The ladder: name, threshold in yuan, discount in percent.
const TIERS: [(&str, i64, i32); 4] = [
    ("Member", 0, 0),
    ("Silver", 3_000, 3),
    ("Gold", 12_000, 6),
    ("Black", 40_000, 10),
];

const PROGRAMME: &str = "lantern-club";

/// Associates of a store; the demonstration's own account is one more in the first.
const ASSOCIATES: u32 = 4;

impl House {
    /// Makes what is not there yet, and reads the rest.
    pub(super) async fn furnish(ctx: &Ctx, scale: &Scale) -> Result<Self> {
        set_up_company(ctx).await?;
        let settings = company::settings(ctx).await?;
        let regions = regions(ctx, scale).await?;
        let mut shops = open_stores(ctx, scale, &regions).await?;
        hire(ctx, scale, &regions, &mut shops).await?;
        let (programme, ladder) = programme(ctx).await?;
        shelves::fill(ctx).await?;
        Ok(Self {
            stores: shops,
            programme,
            ladder,
            company: settings,
        })
    }
}

/// The company is made at every start from the configuration; before the first customer it becomes the
/// demonstration's.
async fn set_up_company(ctx: &Ctx) -> Result<()> {
    let wanted = company_defaults();
    company::ensure(ctx, &wanted).await?;
    let filled = customer::Entity::find().count(ctx.db.read()).await? > 0
        || staff::Entity::find().count(ctx.db.read()).await? > 0;
    if filled {
        return Ok(());
    }
    let change = company::CompanyChange {
        version: company::settings(ctx).await?.version,
        name: Some(wanted.name),
        currency: Some(wanted.currency),
        country: Some(wanted.country),
        locale: Some(wanted.locale),
        time_zone: Some(wanted.time_zone),
    };
    company::update(ctx, &change).await?;
    Ok(())
}

/// The regions: two, and two more for every fifty stores.
async fn regions(ctx: &Ctx, scale: &Scale) -> Result<Vec<RegionId>> {
    let mut there: HashMap<String, RegionId> = region::Entity::find()
        .all(ctx.db.read())
        .await?
        .into_iter()
        .map(|row| (row.code, row.id))
        .collect();
    let mut ids = Vec::new();
    let cities = u32::try_from(CITIES.len()).unwrap_or(u32::MAX);
    for part in 1..=scale.stores.div_ceil(cities * ROUNDS_OF_A_REGION) {
        for (code, name) in REGIONS {
            let (code, name) = if part == 1 {
                (code.to_owned(), name.to_owned())
            } else {
                (format!("{code}-{part}"), format!("{name} {part}"))
            };
            let id = match there.remove(&code) {
                Some(id) => id,
                None => {
                    let new = regions::NewRegion { code, name };
                    regions::create(ctx, &new).await?.id
                }
            };
            ids.push(id);
        }
    }
    Ok(ids)
}

/// A store by its place in the list of all: code, name, and the place of its region in that of [`regions`].
fn plan(n: usize, city: &City) -> (String, String, usize) {
    let round = n / CITIES.len();
    let region = round / ROUNDS_OF_A_REGION as usize * REGIONS.len() + city.region;
    if round == 0 {
        return (city.code.to_owned(), city.name.to_owned(), region);
    }
    let round = round + 1;
    (
        format!("{}{round}", city.code),
        format!("{} {round}", city.place),
        region,
    )
}

async fn open_stores(ctx: &Ctx, scale: &Scale, regions: &[RegionId]) -> Result<Vec<Shop>> {
    let there: HashMap<String, store::Model> = store::Entity::find()
        .all(ctx.db.read())
        .await?
        .into_iter()
        .map(|row| (row.code.clone(), row))
        .collect();
    let there = &there;
    let stores = (0..scale.stores).zip(CITIES.iter().cycle());
    stream::iter(stores)
        .map(|(n, city)| async move {
            let (code, name, region) = plan(n as usize, city);
            let row = match there.get(&code) {
                Some(row) => row.clone(),
                None => {
                    let region = regions
                        .get(region)
                        .ok_or_else(|| Error::internal("a city without region"))?;
                    let new = stores::NewStore {
                        region: *region,
                        code,
                        name,
                        time_zone: Some(city.zone.to_owned()),
                        opening_hours: week(city),
                    };
                    stores::create(ctx, &new).await?
                }
            };
            let zone = TimeZone::parse(&row.time_zone)
                .map_err(|error| Error::internal(format!("a store's time zone {error}")))?;
            Ok(Shop {
                id: row.id,
                code: row.code,
                city,
                zone,
                staff: Vec::new(),
            })
        })
        .buffered(ctx.db.lanes())
        .try_collect()
        .await
}

fn week(city: &City) -> Vec<Interval> {
    use Weekday::{Friday, Monday, Saturday, Sunday, Thursday, Tuesday, Wednesday};
    [
        Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday,
    ]
    .into_iter()
    .map(|weekday| Interval {
        weekday,
        opens: city.opens.to_owned(),
        closes: city.closes.to_owned(),
    })
    .collect()
}

/// Somebody who works for the company.
struct Post {
    email: String,
    name: String,
    role: Role,
    place: Place,
    /// In which store they serve.
    serves: Option<usize>,
    demo: bool,
}

/// The demonstration's accounts, each with its role, and associates without password in every store.
async fn hire(ctx: &Ctx, scale: &Scale, regions: &[RegionId], shops: &mut [Shop]) -> Result<()> {
    let (Some(first), Some(region)) = (shops.first().map(|shop| shop.id), regions.first()) else {
        return Err(Error::internal("a house without stores"));
    };
    let mut posts: Vec<Post> = Vec::new();
    for ((email, role, _), name) in ACCOUNTS.iter().zip(ACCOUNT_NAMES) {
        let place = match role {
            Role::RegionManager => Place::Region(*region),
            Role::StoreManager | Role::Associate => Place::Store(first),
            _ => Place::Company,
        };
        posts.push(Post {
            email: (*email).to_owned(),
            name: name.to_owned(),
            role: *role,
            place,
            serves: (*role == Role::Associate).then_some(0),
            demo: true,
        });
    }
    for (n, shop) in shops.iter().enumerate() {
        let script = shop.city.scripts.iter().max_by_key(|(_, weight)| *weight);
        let script = script.map_or(Script::Latin, |(script, _)| *script);
        // A place of its own for staff, so that customers stay the same whoever is hired.
        let mut lots = draw::lots(
            scale.seed ^ 0x57AF_F000,
            u32::try_from(n).unwrap_or_default(),
        );
        for place in 1..=ASSOCIATES {
            let gender = if draw::chance(&mut lots, 600) {
                Gender::Female
            } else {
                Gender::Male
            };
            let name = names::draw(&mut lots, script, gender);
            posts.push(Post {
                email: format!("{}.{place}@staff.demo.example", shop.code.to_lowercase()),
                name: name.full,
                role: Role::Associate,
                place: Place::Store(shop.id),
                serves: Some(n),
                demo: false,
            });
        }
    }
    let there: HashMap<String, StaffId> = staff::Entity::find()
        .filter(staff::Column::Email.like("%demo.example"))
        .all(ctx.db.read())
        .await?
        .into_iter()
        .map(|row| (row.email, row.id))
        .collect();
    let there = &there;
    let mut hired = stream::iter(posts)
        .map(|post| async move {
            let id = match there.get(&post.email) {
                Some(id) => *id,
                None => employ(ctx, &post).await?,
            };
            Ok::<_, Error>((post.serves, id))
        })
        .buffered(ctx.db.lanes());
    while let Some((serves, id)) = hired.try_next().await? {
        if let Some(shop) = serves.and_then(|n| shops.get_mut(n)) {
            shop.staff.push(id);
        }
    }
    Ok(())
}

/// In the order of [`ACCOUNTS`].
const ACCOUNT_NAMES: [&str; 7] = [
    "Ada Park",
    "沈月华",
    "윤서현",
    "周文博",
    "林晓燕",
    "Nora Hayes",
    "Hugo Lindström",
];

async fn employ(ctx: &Ctx, post: &Post) -> Result<StaffId> {
    let new = accounts::NewStaff {
        email: post.email.clone(),
        name: post.name.clone(),
        grants: vec![Grant {
            role: post.role,
            place: post.place,
        }],
        // Marked as the demonstration's, such an account keeps `serve` from starting.
        password: post.demo.then(|| SecretString::from(PASSWORD)),
        demo: post.demo,
    };
    Ok(accounts::create(ctx, &new).await?.row.id)
}

async fn programme(ctx: &Ctx) -> Result<(programme::Model, Ladder)> {
    let there = programme::Entity::find()
        .filter(programme::Column::Code.eq(PROGRAMME))
        .one(ctx.db.read())
        .await?;
    let row = match there {
        Some(row) => row,
        None => {
            let tiers = TIERS.map(|(name, yuan, percent)| Rung {
                id: None,
                name: name.to_owned(),
                spend_threshold_minor: yuan * 100,
                discount_basis_points: percent * 100,
            });
            let new = programmes::NewProgramme {
                code: PROGRAMME.to_owned(),
                name: "Lantern Club".to_owned(),
                card_prefix: None,
                card_valid_months: None,
                tiers: tiers.to_vec(),
            };
            programmes::create(ctx, new).await?
        }
    };
    let ladder = programmes::ladder(ctx.db.read(), row.id).await?;
    Ok((row, ladder))
}
