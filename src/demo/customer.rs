//! One customer's file: who they are, how they are reached, what they like, who keeps them.

use super::basket::Habit;
use super::catalogue::{CATEGORIES, PRODUCTS};
use super::draw::{chance, one_of, weighted};
use super::house::{House, Shop};
use super::names::{self, EMPLOYERS, HOBBIES, Name, OCCUPATIONS, Script};
use super::rhythm::Rhythm;
use super::{Frame, SOURCE, contacts};
use crate::domain::customers::bulk::{NewConsent, NewCustomer, NewSpecialDay, NewTaste};
use crate::error::Result;
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use entity::enums::{
    AcquisitionSource, Attitude, ConsentMethod, CustomerKind, Gender, Importance, Purpose,
    TasteAspect, TasteProvenance,
};
use entity::ids::StaffId;
use entity::values::{BirthDate, LunarDate};
use rand::RngExt;
use rand::rngs::StdRng;

/// What was drawn of somebody before their file is written.
pub(super) struct Person<'a> {
    pub number: u32,
    pub key: String,
    pub shop: &'a Shop,
    pub rhythm: Rhythm,
    pub habit: &'a Habit,
    pub since: DateTime<Utc>,
}

/// What somebody likes, dislikes, and spends.
pub(super) fn habit(lots: &mut StdRng) -> Habit {
    let likes = [one_of(lots, &CATEGORIES), one_of(lots, &CATEGORIES)];
    let dislikes = CATEGORIES
        .iter()
        .copied()
        .filter(|category| !likes.contains(category))
        .nth(lots.random_range(0..6))
        .unwrap_or_default();
    let purse = weighted(lots, &[(1, 34), (2, 42), (3, 18), (4, 6)]).unwrap_or(2);
    Habit::new(likes, dislikes, purse)
}

/// The file.
pub(super) fn file(
    lots: &mut StdRng,
    house: &House,
    frame: &Frame,
    person: &Person<'_>,
) -> Result<NewCustomer> {
    let script = weighted(lots, &person.shop.city.scripts).unwrap_or(Script::Latin);
    let gender = if chance(lots, 640) {
        Gender::Female
    } else {
        Gender::Male
    };
    let is_trade = person.number > 0 && chance(lots, 15);
    let name = names::draw(lots, script, gender);
    let importance = match (person.rhythm, person.habit.purse) {
        (Rhythm::Regular, 4) => Importance::Key,
        (Rhythm::Regular, 3) if chance(lots, 60) => Importance::Key,
        _ => Importance::Regular,
    };
    let keeper = keeper(lots, person, importance);
    let mut file = NewCustomer {
        language: Some(script.language().to_owned()),
        region_name: chance(lots, 850).then(|| person.shop.city.place.to_owned()),
        acquisition_source: Some(source(lots, person.number)),
        keeper_id: keeper,
        home_store_id: Some(person.shop.id),
        importance,
        reference: Some((SOURCE.to_owned(), person.key.clone())),
        contact_points: contacts::draw(
            lots,
            script,
            &name.latin,
            person.number,
            house.company.country,
        )?,
        consents: consents(lots, person),
        tastes: tastes(lots, person, keeper),
        ..NewCustomer::named(String::new(), person.since)
    };
    if is_trade {
        file.kind = CustomerKind::Trade;
        let firm = weighted(lots, &EMPLOYERS).unwrap_or("Old Town Theatre");
        file.full_name = format!("{firm}, {}", person.shop.city.place);
    } else {
        personal(lots, frame, &mut file, script, gender, name);
    }
    Ok(file)
}

fn personal(
    lots: &mut StdRng,
    frame: &Frame,
    file: &mut NewCustomer,
    script: Script,
    gender: Gender,
    name: Name,
) {
    file.full_name = name.full;
    file.salutation = Some(name.salutation);
    file.gender = chance(lots, 930).then_some(gender);
    if chance(lots, 720) {
        file.birth_date = birth_date(lots, frame.last, script);
    }
    if chance(lots, 450) {
        file.employer = weighted(lots, &EMPLOYERS).map(str::to_owned);
    }
    if chance(lots, 550) {
        file.occupation = Some(one_of(lots, &OCCUPATIONS).to_owned());
    }
    if chance(lots, 120) {
        file.special_days.extend(special_day(lots, frame.last));
    }
}

/// Somebody of 18 to 84 years. Who is older often keeps their birthday by the moon.
fn birth_date(lots: &mut StdRng, today: NaiveDate, script: Script) -> Option<BirthDate> {
    let age = lots.random_range(18_i32..=51) + lots.random_range(0..=33);
    let year = today.year() - age - 1;
    let (month, day) = (lots.random_range(1..=12_u8), lots.random_range(1..=28_u8));
    let by_the_moon = match script {
        Script::Chinese => 380,
        Script::Korean => 300,
        Script::Latin => 0,
    };
    if age > 48 && chance(lots, by_the_moon) {
        return LunarDate::new(Some(year), month, false, day)
            .ok()
            .map(BirthDate::Lunar);
    }
    NaiveDate::from_ymd_opt(year, month.into(), day.into()).map(BirthDate::Solar)
}

fn special_day(lots: &mut StdRng, today: NaiveDate) -> Option<NewSpecialDay> {
    let (label, person, back) = one_of(
        lots,
        &[
            ("wedding day", None, 20),
            ("spouse's birthday", Some("spouse"), 40),
            ("daughter's birthday", Some("daughter"), 12),
            ("mother's birthday", Some("mother"), 65),
            ("opening of the shop", None, 8),
        ],
    );
    let year = today.year() - back;
    let day = NaiveDate::from_ymd_opt(year, lots.random_range(1..=12), lots.random_range(1..=28))?;
    Some(NewSpecialDay {
        label: label.to_owned(),
        person: person.map(str::to_owned),
        date: BirthDate::Solar(day),
        remind_before_days: one_of(lots, &[3, 7, 14]),
    })
}

/// Who keeps them: most regulars and all who matter most have somebody in their store.
fn keeper(lots: &mut StdRng, person: &Person<'_>, importance: Importance) -> Option<StaffId> {
    let kept = match (importance, person.rhythm) {
        (Importance::Key, _) => 1000,
        (_, Rhythm::Regular) => 650,
        (_, Rhythm::GoneQuiet) => 300,
        (_, Rhythm::Occasional) => 150,
        _ => 20,
    };
    // The first customer is kept by the demonstration's associate, who is the first of the first store.
    if person.number == 0 {
        return person.shop.staff.first().copied();
    }
    if !chance(lots, kept) || person.shop.staff.is_empty() {
        return None;
    }
    let place = lots.random_range(0..person.shop.staff.len());
    person.shop.staff.get(place).copied()
}

fn source(lots: &mut StdRng, number: u32) -> AcquisitionSource {
    use AcquisitionSource::{Advertisement, Event, Gift, Online, Other, Referral, WalkIn};
    // Nobody was there before the first one.
    let referral = if number == 0 { 0 } else { 18 };
    weighted(
        lots,
        &[
            (WalkIn, 48),
            (Referral, referral),
            (Online, 14),
            (Advertisement, 8),
            (Event, 6),
            (Gift, 4),
            (Other, 2),
        ],
    )
    .unwrap_or(WalkIn)
}

/// What was ticked when they joined: what proves it is named.
fn consents(lots: &mut StdRng, person: &Person<'_>) -> Vec<NewConsent> {
    let (method, evidence) = weighted(
        lots,
        &[
            ((ConsentMethod::Paper, "signed application form"), 60),
            (
                (ConsentMethod::Online, "box ticked on the sign-up page"),
                30,
            ),
            (
                (
                    ConsentMethod::InStore,
                    "said at the counter, noted by the associate",
                ),
                10,
            ),
        ],
    )
    .unwrap_or((ConsentMethod::Paper, "signed application form"));
    let mut consents = Vec::with_capacity(3);
    for (purpose, granted) in [
        (Purpose::Service, 960),
        (Purpose::Care, 740),
        (Purpose::Marketing, 520),
    ] {
        consents.push(NewConsent {
            purpose,
            granted: chance(lots, granted),
            method,
            evidence: format!("{evidence}, {} {}", person.shop.code, person.key),
            at: person.since,
        });
    }
    consents
}

fn tastes(lots: &mut StdRng, person: &Person<'_>, keeper: Option<StaffId>) -> Vec<NewTaste> {
    let mut tastes: Vec<NewTaste> = Vec::new();
    let mut add = |aspect, value: &str, attitude, provenance| {
        let known = |taste: &NewTaste| taste.aspect == aspect && taste.value == value;
        if !value.is_empty() && !tastes.iter().any(known) {
            tastes.push(NewTaste {
                aspect,
                value: value.to_owned(),
                attitude,
                provenance,
                noted_by: keeper,
            });
        }
    };
    let noted = if keeper.is_some() {
        TasteProvenance::Noted
    } else {
        TasteProvenance::Stated
    };
    let [first, second] = person.habit.likes;
    if chance(lots, 500) {
        add(
            TasteAspect::Category,
            first,
            Attitude::Likes,
            TasteProvenance::Stated,
        );
    }
    if chance(lots, 250) {
        add(TasteAspect::Category, second, Attitude::Likes, noted);
    }
    if chance(lots, 120) {
        add(
            TasteAspect::Category,
            person.habit.dislikes,
            Attitude::Dislikes,
            noted,
        );
    }
    if chance(lots, 220) {
        let brand = one_of(lots, &PRODUCTS).brand;
        add(TasteAspect::Brand, brand, Attitude::Likes, noted);
    }
    if chance(lots, 260) {
        let size = one_of(lots, &["XS", "S", "M", "L", "XL", "shoe 37", "shoe 42"]);
        add(TasteAspect::Size, size, Attitude::Likes, noted);
    }
    if chance(lots, 200) {
        let hobby = one_of(lots, &HOBBIES);
        add(
            TasteAspect::Hobby,
            hobby,
            Attitude::Likes,
            TasteProvenance::Stated,
        );
    }
    tastes
}
