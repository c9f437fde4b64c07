//! Passwords: Argon2id on blocking threads, as many at once as the machine has cores.
//!
//! Called by [`super::sessions`] and [`super::staff`]. Nothing here says who somebody is, and a password is
//! never logged, stored or compared as text.

use crate::error::{Code, Error, Result, UserError};
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};
use entity::values::Email;
use secrecy::{ExposeSecret, SecretString};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization;

/// Characters of a password at least.
const SHORTEST: usize = 12;
/// Characters of a password at most.
const LONGEST: usize = 256;
/// The longest wait for a free core; whoever would wait longer is told to come back.
const WAIT: Duration = Duration::from_secs(3);

/// Memory in KiB, passes, lanes: what OWASP recommends for Argon2id.
const COST: (u32, u32, u32) = (19_456, 2, 1);

/// A hash at the same cost that no password is known for: checked where there is no account, so that it
/// takes as long as where there is one.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGlzIGhvbWUhIQ$2rwE1Tq0Qm0pDPyLs8f6kJ3v5uWb9ZcXo7iHn4gYtRk";

/// One core each: the cores belong to the process, however many servers a test runs in it.
static CORES: LazyLock<Arc<Semaphore>> = LazyLock::new(|| {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Arc::new(Semaphore::new(cores))
});

/// The passwords of [`SHORTEST`] characters and more that are tried first everywhere, in lower case.
const COMMON: &[&str] = &[
    "000000000000",
    "0123456789012",
    "111111111111",
    "111122223333",
    "112233445566",
    "121212121212",
    "123123123123",
    "1234567890123",
    "1234567890qwe",
    "123456789abc",
    "1234567891011",
    "12345678910",
    "123456789012",
    "12345678901234",
    "1q2w3e4r5t6y",
    "1q2w3e4r5t6y7u",
    "1qaz2wsx3edc",
    "1qaz2wsx3edc4rfv",
    "987654321098",
    "999999999999",
    "a1b2c3d4e5f6",
    "abc123abc123",
    "abcd12345678",
    "abcdefghijkl",
    "administrator",
    "administrator1",
    "asdfghjkl123",
    "asdfghjkl;'",
    "asdfghjklasdf",
    "changeme1234",
    "changemeplease",
    "correcthorsebatterystaple",
    "defaultpassword",
    "football1234",
    "iloveyou1234",
    "iloveyouforever",
    "jordan123456",
    "letmein123456",
    "letmeinplease",
    "liverpool123",
    "manchester123",
    "password1234",
    "password12345",
    "password123456",
    "password1234567",
    "password12345678",
    "password123456789",
    "passwordpassword",
    "p@ssw0rd1234",
    "p@ssword1234",
    "passw0rd1234",
    "princess1234",
    "q1w2e3r4t5y6",
    "q1w2e3r4t5y6u7",
    "qazwsxedcrfv",
    "qwe123qwe123",
    "qwer1234qwer",
    "qwerty123456",
    "qwerty1234567",
    "qwerty12345678",
    "qwertyqwerty",
    "qwertyuiop12",
    "qwertyuiop123",
    "qwertyuiop[]",
    "qwertyuiopasdf",
    "regulars-demo",
    "regularsregulars",
    "sunshine1234",
    "superman1234",
    "temppassword",
    "thisismypassword",
    "trustno1trustno1",
    "unbelievable",
    "veryverysecret",
    "welcome12345",
    "welcome123456",
    "welcomewelcome",
    "whatthefuck1",
    "woaini1314520",
    "woaini520520",
    "zaq12wsxcde3",
    "zaq1zaq1zaq1",
    "zxcvbnm12345",
    "zxcvbnmasdfghjkl",
];

/// What keyboards of different systems make of the same password (composed or decomposed letters) is one.
fn normal(password: &SecretString) -> SecretString {
    SecretString::from(password.expose_secret().nfc().collect::<String>())
}

/// Checks a new password.
///
/// # Errors
/// A user error [`Code::WeakPassword`] at `field` that says what to do.
pub fn check(field: &str, password: &SecretString, email: &Email) -> Result<(), UserError> {
    let weak = |message: String| Err(UserError::new(Code::WeakPassword, field, message));
    // Bytes first: a text of megabytes is not walked.
    let text = password.expose_secret();
    if text.len() > LONGEST * 8 || text.chars().count() > LONGEST {
        return weak(format!(
            "the password is too long; at most {LONGEST} characters are allowed"
        ));
    }
    if text.chars().count() < SHORTEST {
        return weak(format!(
            "the password is too short; take at least {SHORTEST} characters, such as four unrelated words"
        ));
    }
    let folded = text.to_lowercase();
    let mut distinct: Vec<char> = folded.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.len() < 4 || COMMON.contains(&folded.trim()) {
        return weak("the password is one of those that are tried first; take another".to_owned());
    }
    let own = email.normal().split('@').next().unwrap_or_default();
    if folded.contains(email.normal()) {
        return weak("the password contains the email address; take another".to_owned());
    }
    if own.chars().count() >= 4 && folded.contains(own) {
        return weak("the password contains the email address's name; take another".to_owned());
    }
    Ok(())
}

fn hasher() -> Result<Argon2<'static>> {
    let (memory, passes, lanes) = COST;
    let params = Params::new(memory, passes, lanes, None)
        .map_err(|error| Error::internal(format!("argon2 parameters: {error}")))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Runs heavy work on a blocking thread when a core is free.
async fn on_a_core<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let permit = tokio::time::timeout(WAIT, CORES.clone().acquire_owned())
        .await
        .map_err(|_| Error::RateLimited)?
        .map_err(|_| Error::internal("the semaphore of password hashing is closed"))?;
    // The permit goes along: a caller who hangs up does not free a core that still works.
    tokio::task::spawn_blocking(move || {
        let _permit = permit;
        work()
    })
    .await
    .map_err(|error| Error::internal(format!("password hashing broke off: {error}")))?
}

/// Hashes a password; gives the PHC form.
///
/// # Errors
/// [`Error::RateLimited`] when no core gets free in time.
pub async fn hash(password: &SecretString) -> Result<String> {
    let password = normal(password);
    on_a_core(move || {
        hasher()?
            .hash_password(password.expose_secret().as_bytes())
            .map(|hash| hash.to_string())
            .map_err(|error| Error::internal(format!("password hashing: {error}")))
    })
    .await
}

/// Does the password belong to the hash? Without a hash the answer is no, after the same time.
///
/// # Errors
/// [`Error::RateLimited`] when no core gets free in time; [`Error::Internal`] when the stored hash is none.
pub async fn verify(password: &SecretString, hash: Option<&str>) -> Result<bool> {
    let too_long = password.expose_secret().len() > LONGEST * 8;
    // What no password can be is not worth a megabyte of hashing, yet takes its time.
    let password = if too_long {
        SecretString::default()
    } else {
        normal(password)
    };
    let known = hash.is_some() && !too_long;
    let hash = hash.unwrap_or(NOBODY).to_owned();
    on_a_core(move || {
        let parsed = PasswordHash::new(&hash)
            .map_err(|error| Error::internal(format!("a stored password hash: {error}")))?;
        let fits = hasher()?
            .verify_password(password.expose_secret().as_bytes(), &parsed)
            .is_ok();
        Ok(fits && known)
    })
    .await
}

/// A password that nobody guesses: 100 bits, without letters that look alike.
pub fn generate() -> SecretString {
    const LETTERS: [char; 32] = [
        'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'j', 'k', 'm', 'n', 'p', 'q', 'r', 's', 't', 'u',
        'v', 'w', 'x', 'y', 'z', '2', '3', '4', '5', '6', '7', '8', '9', '@',
    ];
    let random: [u8; 20] = rand::random();
    let mut password = String::with_capacity(24);
    for (n, byte) in random.iter().enumerate() {
        if n > 0 && n % 5 == 0 {
            password.push('-');
        }
        password.extend(LETTERS.get(usize::from(byte % 32)));
    }
    SecretString::from(password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobodys_hash_costs_what_a_real_one_costs() {
        let parsed = PasswordHash::new(NOBODY).unwrap();
        let params = Params::try_from(&parsed).unwrap();
        assert_eq!((params.m_cost(), params.t_cost(), params.p_cost()), COST);
        assert!(NOBODY.starts_with("$argon2id$v=19$"));
    }

    #[tokio::test]
    async fn a_password_fits_its_own_hash_only() {
        let password = SecretString::from("tall green kettles sing");
        let hash = hash(&password).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(verify(&password, Some(&hash)).await.unwrap());
        assert!(
            !verify(&SecretString::from("tall green kettles Sing"), Some(&hash))
                .await
                .unwrap()
        );
        assert!(!verify(&password, None).await.unwrap());
        assert!(
            !verify(&SecretString::from("x".repeat(1 << 20)), Some(&hash))
                .await
                .unwrap()
        );
        // Composed and decomposed Hangul.
        let hash = super::hash(&SecretString::from("비밀번호는길어야한다고요"))
            .await
            .unwrap();
        let decomposed: String = "비밀번호는길어야한다고요".nfd().collect();
        assert!(
            verify(&SecretString::from(decomposed), Some(&hash))
                .await
                .unwrap()
        );
    }

    #[test]
    fn weak_passwords_are_refused() {
        let email = Email::parse("mei.lin@shop.example").unwrap();
        let strong = |text: &str| check("password", &SecretString::from(text), &email).is_ok();
        for weak in [
            "",
            "short",
            "elevenchars",
            "Password1234",
            "aaaaaaaaaaaaaaaa",
            "abababababab",
            "regulars-demo",
            "I am mei.lin of the shop",
            &"long ".repeat(60),
        ] {
            assert!(!strong(weak), "{weak}");
        }
        // A name of few letters is in many a good password, the whole address in none.
        let short = Email::parse("ann@shop.example").unwrap();
        let with = |text: &str| check("password", &SecretString::from(text), &short);
        assert!(with("Ann@Shop.example").is_err() && with("my ann@shop.example!").is_err());
        assert!(with("savannah kettles sing").is_ok());
        for good in [
            "tall green kettles sing",
            "一二三四五六七八九十甲乙",
            "Xk3#pQ9!vB2z",
        ] {
            assert!(strong(good), "{good}");
        }
        let generated = generate();
        assert!(check("password", &generated, &email).is_ok());
        assert_ne!(generated.expose_secret(), generate().expose_secret());
    }
}
