//! How long sign-ins last and how many attempts there are. `app` may put other values into the memory of the
//! program before it starts; the defaults are good.

use chrono::TimeDelta;

/// The rules of signing in.
#[derive(Clone, Debug)]
pub struct SignInSettings {
    /// Who issues access tokens (`iss`).
    pub issuer: String,
    /// For whom access tokens are good (`aud`).
    pub audience: String,
    /// Are passwords accepted?
    pub passwords: bool,
    /// How long an access token is good.
    pub token_life: TimeDelta,
    /// How far clocks of nodes may be apart.
    pub leeway: TimeDelta,
    /// A session that is not renewed for so long ends.
    pub session_idle: TimeDelta,
    /// A session ends after so long in any case.
    pub session_longest: TimeDelta,
    /// A new signing key takes over after so long.
    pub key_rotation: TimeDelta,
    /// A new signing key is published for so long before it signs.
    pub key_ahead: TimeDelta,
    /// Passwords that may be tried for one account in a window.
    pub attempts_by_account: i32,
    /// Passwords that may be tried from one address in a window.
    pub attempts_by_address: i32,
    /// The length of the window.
    pub attempts_window: TimeDelta,
}

impl Default for SignInSettings {
    fn default() -> Self {
        Self {
            issuer: "regulars".to_owned(),
            audience: "regulars-api".to_owned(),
            passwords: true,
            token_life: TimeDelta::minutes(10),
            leeway: TimeDelta::seconds(5),
            session_idle: TimeDelta::days(30),
            session_longest: TimeDelta::days(90),
            key_rotation: TimeDelta::days(30),
            key_ahead: TimeDelta::hours(1),
            attempts_by_account: 10,
            attempts_by_address: 100,
            attempts_window: TimeDelta::minutes(15),
        }
    }
}
